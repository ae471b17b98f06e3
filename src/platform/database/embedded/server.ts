import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Account } from './account.js';
import type { Binaries } from './binaries.js';
import { ROLE, SERVER_ENVIRONMENT } from './cluster.js';
import type { EmbeddedLog } from './log.js';
import { serverSettings } from './settings.js';

export interface ServerRequest {
  binaries: Binaries;
  account: Account | undefined;
  folder: string;
  port: number;
  password: string;
  fsync: boolean;
  log: EmbeddedLog;
}

/** Why the server went, in its own last words. */
export interface ServerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  lastWords: string;
}

/** Recovery after a crash replays the log; a long one takes minutes, and the server says that it is busy meanwhile. */
const READY_WITHIN_MS = 600_000;
const STOP_STEPS: readonly [NodeJS.Signals, number][] = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 5_000],
];

/** One running `postgres`, child of this process. */
export class Server {
  readonly ended: Promise<ServerEnd>;
  private readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private stopping = false;
  private gone = false;

  constructor(private readonly request: ServerRequest) {
    const { binaries, account, folder, port, fsync } = request;
    const settings = Object.entries(serverSettings(port, fsync)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.child = spawn(binaries.postgres, ['-D', folder, ...settings], {
      ...account,
      cwd: folder,
      env: SERVER_ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
      // A session of its own: Ctrl-C in a terminal reaches the whole group, and would take the database away
      // before we have finished our work on it.
      detached: process.platform !== 'win32',
    });
    // Whoever leaves without a stop (process.exit, an error nobody caught) does not leave the server behind.
    const leave = () => this.child.kill('SIGINT');
    process.once('exit', leave);
    if (this.child.stderr) createInterface(this.child.stderr).on('line', (line) => this.report(line));
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.gone = true;
        process.off('exit', leave);
        resolve({ code: null, signal: null, lastWords: error.message });
      });
      // `close`, not `exit`: its last words have been read by then. A surviving backend may hold the pipe open, though.
      this.child.once('exit', (code, signal) => {
        this.gone = true;
        process.off('exit', leave);
        const end = () => resolve({ code, signal, lastWords: this.lines.join('\n') });
        this.child.once('close', end);
        setTimeout(end, 200).unref();
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get isGone(): boolean {
    return this.gone;
  }

  /** Resolves once it answers; resolves to its end when it ended instead. */
  async ready(signal?: AbortSignal): Promise<ServerEnd | undefined> {
    const until = performance.now() + READY_WITHIN_MS;
    let refusal = '';
    while (performance.now() < until) {
      if (this.gone) return this.ended;
      signal?.throwIfAborted();
      const client = new pg.Client({ ...this.connection('postgres'), connectionTimeoutMillis: 5_000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.end();
        return undefined;
      } catch (error) {
        refusal = (error as Error).message;
        // A wrong password does not get better by waiting.
        if ((error as { code?: string }).code === '28P01') break;
        await Promise.race([delay(25), this.ended]);
      }
    }
    await this.stop();
    return { code: null, signal: null, lastWords: refusal };
  }

  connection(database: string): pg.ClientConfig {
    return { host: '127.0.0.1', port: this.request.port, user: ROLE, password: this.request.password, database };
  }

  /** Fast shutdown: clients are cut, a checkpoint is written. Harder when it does not act. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const [signal, patience] of STOP_STEPS) {
      if (this.gone) break;
      this.send(signal);
      await Promise.race([this.ended, delay(patience, undefined, { ref: false })]);
    }
    await this.ended;
  }

  private send(signal: NodeJS.Signals): void {
    if (process.platform !== 'win32') {
      this.child.kill(signal);
      return;
    }
    // Windows has no such signals; pg_ctl talks to the server's named pipe.
    const mode = signal === 'SIGINT' ? 'fast' : 'immediate';
    execFile(this.request.binaries.pgCtl, ['stop', '-D', this.request.folder, '-m', mode, '-W'], () => undefined);
  }

  private report(line: string): void {
    this.lines.push(line);
    if (this.lines.length > 20) this.lines.shift();
    const { log } = this.request;
    const text = `postgres: ${line}`;
    // Cutting its clients is part of a stop, and being asked too early part of a start.
    if (this.stopping || /the database system is (starting up|not yet accepting connections)/.test(line)) log.debug(text);
    else if (/^(PANIC|FATAL):/.test(line)) log.error(text);
    else if (/^WARNING:/.test(line)) log.warn(text);
    else log.debug(text);
  }
}
