import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How long a child may take to stop by itself: Exeunt drains its work and stops its PostgreSQL. */
const STOP_LIMIT_MS = 40_000;
const LOG_TAIL_LINES = 25;

/** The processes of the demo: started here, logged to files, and none left behind. */
export class Children {
  #logDir;
  #running = new Map();
  #closing = false;

  /** @param {string} logDir where `<name>.log` of each child goes */
  constructor(logDir) {
    this.#logDir = logDir;
  }

  /**
   * A program of ours, told its settings over IPC rather than by arguments, which anyone on the machine can read.
   * Resolves when it says that it listens.
   * @param {string} name
   * @param {string} script
   * @param {object} settings
   * @param {(message: object) => void} [onMessage] what it says later
   */
  async startProgram(name, script, settings, onMessage = () => {}) {
    const child = this.#track(name, () => fork(script, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true }));
    const ready = new Promise((resolve) => {
      child.on('message', (message) => (message.ready ? resolve() : onMessage(message)));
    });
    child.send(settings);
    await Promise.race([ready, this.#diedEarly(name, child)]);
  }

  /**
   * A program of its own kind, with its settings in the environment. Resolves at once.
   * @returns {{ died: Promise<never> }} rejects when it ends before it is told to
   */
  startCommand(name, command, args, env) {
    // Its own process group: Ctrl-C in the terminal reaches only the demo, which then stops each child once and in order.
    const child = this.#track(name, () => spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true }));
    const died = this.#diedEarly(name, child);
    died.catch(() => {});
    return { died };
  }

  /** Asks it to stop, waits until it is gone, and ends it by force when it does not go. */
  async stop(name) {
    const child = this.#running.get(name);
    if (child === undefined) return;
    child.stopping = true;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const force = setTimeout(() => killGroup(child.pid), STOP_LIMIT_MS);
    await gone;
    clearTimeout(force);
  }

  /** Stops all, and starts no more. */
  async stopAll() {
    this.#closing = true;
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)));
  }

  logFile(name) {
    return join(this.#logDir, `${name}.log`);
  }

  #track(name, start) {
    if (this.#closing) throw new Error(`${name} is not started: the demo is ending`);
    const child = start();
    const log = createWriteStream(this.logFile(name), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#running.set(name, child);
    child.once('exit', () => {
      if (this.#running.get(name) === child) this.#running.delete(name);
    });
    return child;
  }

  #diedEarly(name, child) {
    return new Promise((_, reject) => {
      child.once('error', (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
      child.once('close', (code, signal) => {
        if (child.stopping) return;
        reject(new Error(`${name} ended by itself (${signal ?? `exit code ${code}`}). Its last words:\n${this.#lastWords(name)}`));
      });
    });
  }

  #lastWords(name) {
    return readFileSync(this.logFile(name), 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
