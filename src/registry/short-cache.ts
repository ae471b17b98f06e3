import { isExeuntError } from '#domain';

/** A fault that may be over in a moment: the database is away, or something that we have no name for. What we refuse for a reason stays refused. */
export function mayPass(error: unknown): boolean {
  return !isExeuntError(error) || error.code === 'unavailable';
}

/** Remembers what was loaded for a short while; those who ask at once share one load; what cannot be loaded anew stays in use for a minute. */
export class ShortCache<Value> {
  private readonly entries = new Map<string, { value: Value; at: number }>();
  private readonly loading = new Map<string, Promise<Value>>();

  constructor(
    private readonly freshMs: number,
    private readonly now: () => number,
    private readonly isPassing: (error: unknown) => boolean = () => false,
    private readonly size = 2_000,
  ) {}

  async get(key: string, load: () => Promise<Value>): Promise<Value> {
    const known = this.entries.get(key);
    if (known && this.now() - known.at < this.freshMs) return known.value;
    try {
      return await this.load(key, load);
    } catch (error) {
      if (known && this.now() - known.at < STALE_MS && this.isPassing(error)) return known.value;
      throw error;
    }
  }

  forget(isGone: (key: string) => boolean): void {
    for (const key of [...this.entries.keys(), ...this.loading.keys()]) {
      if (!isGone(key)) continue;
      this.entries.delete(key);
      this.loading.delete(key);
    }
  }

  private load(key: string, load: () => Promise<Value>): Promise<Value> {
    const running = this.loading.get(key);
    if (running) return running;
    const started = load()
      .then((value) => {
        // Forgotten while it was loaded: it may be from before the change.
        if (this.loading.get(key) === started) this.keep(key, value);
        return value;
      })
      .finally(() => {
        if (this.loading.get(key) === started) this.loading.delete(key);
      });
    this.loading.set(key, started);
    return started;
  }

  private keep(key: string, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, { value, at: this.now() });
    if (this.entries.size > this.size) this.entries.delete(this.entries.keys().next().value!);
  }
}

const STALE_MS = 60_000;
