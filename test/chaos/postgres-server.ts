import { rmSync, mkdtempSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/platform/database/embedded/index.js';
import type { EmbeddedPostgres } from '../../src/platform/database/embedded/index.js';
import { freePort } from './ports.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A PostgreSQL that keeps its promises (fsync on), with an address that stays the same however often it goes and comes. */
export class PostgresServer {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private running: Running,
  ) {}

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'exeunt-chaos-'));
    // The server's own account passes through when the suite runs as root.
    chmodSync(folder, 0o711);
    const port = await freePort();
    return new PostgresServer(folder, port, await startOn(folder, port));
  }

  get url(): string {
    return this.running.server.url;
  }

  /** A clean stop: its clients are cut. */
  async stop(): Promise<void> {
    await this.running.server.stop();
  }

  /** kill -9 of the postmaster: nothing is flushed, its backends go as they find out. */
  async kill(): Promise<void> {
    process.kill(this.running.server.pid, 'SIGKILL');
    await this.running.died;
  }

  async startAgain(): Promise<void> {
    this.running = await startOn(this.folder, this.port);
  }

  async remove(): Promise<void> {
    await this.running.server.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

interface Running {
  server: EmbeddedPostgres;
  /** Settled when it has ended though nobody stopped it, and its folder is free. */
  died: Promise<void>;
}

async function startOn(folder: string, port: number): Promise<Running> {
  let dead = (): void => undefined;
  const died = new Promise<void>((resolve) => (dead = resolve));
  return {
    server: await startEmbeddedPostgres({ dataDir: join(folder, 'data'), port, fsync: true, log: silent, onDeath: () => dead() }),
    died,
  };
}
