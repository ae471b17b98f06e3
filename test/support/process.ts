import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** How a process ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that a test watches. All its output is kept. */
export class Watched {
  readonly child: ChildProcess;
  output = '';
  private readonly exited: Promise<Ending>;

  constructor(program: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.exited.catch(() => undefined);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`not started: ${this.output}`);
    return this.child.pid;
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits until the output matches; fails with all of the output when the process ends, or the time is over, before that. */
  async says(pattern: RegExp, withinMs = 60_000): Promise<RegExpExecArray> {
    for (const until = performance.now() + withinMs; ; await delay(20)) {
      const found = pattern.exec(this.output);
      if (found) return found;
      if (this.isOver)
        throw new Error(`ended (${this.child.exitCode ?? this.child.signalCode}) without saying ${pattern}:\n${this.output}`);
      if (performance.now() > until) throw new Error(`did not say ${pattern} within ${withinMs} ms:\n${this.output}`);
    }
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    if (!this.isOver) this.child.kill(signal);
    return this.ending();
  }

  /** Waits for the end; fails with all of the output when it does not come. */
  async ending(withinMs = 90_000): Promise<Ending> {
    const patience = new AbortController();
    const late = delay(withinMs, undefined, { signal: patience.signal }).then(
      () => {
        throw new Error(`process ${this.child.pid} did not end within ${withinMs} ms:\n${this.output}`);
      },
      () => this.exited,
    );
    try {
      return await Promise.race([this.exited, late]);
    } finally {
      patience.abort();
    }
  }
}

/** Waits until the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, withinMs = 30_000): Promise<void> {
  for (const end = performance.now() + withinMs; !(await condition()); await delay(20)) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
  }
}

/** A zombie does not run: nobody has collected it yet, that is all. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return process.platform !== 'linux';
  }
}
