import { Breaker } from './breaker.js';

export interface LaneSettings {
  concurrency: number;
  /** Messages a second; null: no limit. */
  perSecond: number | null;
  /** So many may wait before the lane says that it is full. */
  queueLimit: number;
  breakerFailures: number;
  breakerOpenMs: number;
}

/** The way to one SP: its own concurrency, rate and breaker, so that a dead SP costs the others nothing. */
export class Lane {
  readonly breaker: Breaker;
  private inFlightCount = 0;
  private nextSlotAt = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private settings: LaneSettings) {
    this.breaker = new Breaker(settings.breakerFailures, settings.breakerOpenMs);
  }

  /** Takes changed limits of a registration without losing what waits. */
  adjust(settings: LaneSettings): void {
    this.settings = settings;
  }

  get inFlight(): number {
    return this.inFlightCount;
  }

  get waiting(): number {
    return this.queue.length;
  }

  get isFull(): boolean {
    return this.queue.length >= this.settings.queueLimit;
  }

  /** Runs `work` when there is a place and the rate allows it. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.inFlightCount >= this.settings.concurrency) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.inFlightCount++;
    try {
      await this.keepRate();
      return await work();
    } finally {
      // The place goes straight to the next in the queue: were it freed first, a newcomer could take it too.
      const next = this.queue.shift();
      if (next) next();
      else this.inFlightCount--;
    }
  }

  private async keepRate(): Promise<void> {
    if (this.settings.perSecond === null) return;
    const now = Date.now();
    const slot = Math.max(now, this.nextSlotAt);
    this.nextSlotAt = slot + 1_000 / this.settings.perSecond;
    if (slot > now) await new Promise((resolve) => setTimeout(resolve, slot - now));
  }
}
