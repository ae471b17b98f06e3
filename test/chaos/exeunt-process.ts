import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Watched, until } from '../support/process.js';

const MAIN = join('dist', 'main.js');

export interface ExeuntSettings {
  role: 'api' | 'worker';
  port: number;
  databaseUrl: string;
  redisUrl: string | undefined;
  masterKey: string;
  adminToken: string;
  /** The YAML file. */
  config: string;
}

/**
 * One process of Exeunt under a supervisor, as in production: whatever ends it, it is started again. It may fail to start while the database is away;
 * but once it was ready only a signal ends it, and anything else is a {@link crashes crash}.
 */
export class ExeuntProcess {
  /** What processes that ended by themselves, though they had been ready, said last. */
  readonly crashes: string[] = [];
  kills = 0;
  failedStarts = 0;
  private current: Watched;
  private wasReady = false;
  private supervising = true;
  private killed = false;

  constructor(private readonly settings: ExeuntSettings) {
    this.current = this.launch();
  }

  get url(): string {
    return `http://127.0.0.1:${this.settings.port}`;
  }

  get role(): ExeuntSettings['role'] {
    return this.settings.role;
  }

  get process(): Watched {
    return this.current;
  }

  /** Whether the process that runs now has been ready. */
  get isReady(): boolean {
    return this.wasReady && !this.current.isOver;
  }

  async readiness(): Promise<{ status: number; checks: Record<string, string> } | null> {
    try {
      const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      return { status: response.status, checks: ((await response.json()) as { checks: Record<string, string> }).checks };
    } catch {
      return null;
    }
  }

  async ready(withinMs = 120_000): Promise<void> {
    await until(
      async () => {
        const asked = this.current;
        const isReady = (await this.readiness())?.status === 200;
        if (isReady && asked === this.current) this.wasReady = true;
        return isReady;
      },
      `${this.role} is ready; it said ${this.current.output.slice(-2_000)}`,
      withinMs,
    );
  }

  /** kill -9; the supervisor starts it again. */
  async kill(): Promise<void> {
    const victim = this.current;
    this.killed = true;
    this.kills++;
    await victim.end('SIGKILL');
  }

  /** A signal, and no start after it. @returns how it ended, and after how long. */
  async end(signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }> {
    this.supervising = false;
    const begin = performance.now();
    const { code } = await this.current.end(signal);
    return { code, ms: performance.now() - begin };
  }

  /** After {@link end}. */
  startAgain(): void {
    this.supervising = true;
    this.current = this.launch();
  }

  private launch(): Watched {
    const { role, port, databaseUrl, redisUrl, masterKey, adminToken, config } = this.settings;
    this.wasReady = false;
    this.killed = false;
    const launched = new Watched(process.execPath, [MAIN], {
      env: {
        PATH: process.env.PATH,
        EXEUNT_ROLE: role,
        PORT: String(port),
        DATABASE_URL: databaseUrl,
        ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
        EXEUNT_MASTER_KEY: masterKey,
        EXEUNT_ADMIN_TOKEN: adminToken,
        EXEUNT_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
        EXEUNT_CONFIG: config,
      },
    });
    launched.child.once('exit', (code, signal) => void this.ended(launched, code ?? signal ?? ''));
    return launched;
  }

  private async ended(ended: Watched, how: number | string): Promise<void> {
    if (!this.supervising || ended !== this.current) return;
    if (!this.killed) {
      if (this.wasReady) this.crashes.push(`${this.role} ended by itself (${how}): ${ended.output.slice(-3_000)}`);
      else this.failedStarts++;
      await delay(250);
    }
    if (this.supervising) this.current = this.launch();
  }
}
