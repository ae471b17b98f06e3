import { fork, spawn } from 'node:child_process';
import { createServer } from 'node:net';

/** A process of the bench that answers calls. */
class Answering {
  #child;
  #next = 0;
  #waiting = new Map();

  constructor(child) {
    this.#child = child;
    child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`a process of the bench ended: ${signal ?? `status ${code}`}`));
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** @returns {Promise<any>} */
  call(name, ...args) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, name, args });
    });
  }
}

/** All processes that a bench has started; each is ended by its own handle. */
export class Children {
  #running = new Set();

  /** Starts a module of this folder that calls {@link answerCalls}. */
  answering(file) {
    const child = fork(new URL(file, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
    this.#track(child);
    return new Answering(child);
  }

  /** Starts a command. `died` rejects when it ends though nobody ended it. */
  command(name, command, args, options) {
    const child = spawn(command, args, options);
    const died = new Promise((_, reject) => {
      child.once('error', (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
      child.once('exit', (code, signal) => reject(new Error(`${name} ended: ${signal ?? `status ${code}`}`)));
    });
    died.catch(() => {});
    this.#track(child);
    return { child, died };
  }

  async endAll() {
    await Promise.all([...this.#running].map(endOne));
  }

  #track(child) {
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    child.once('error', () => this.#running.delete(child));
  }
}

async function endOne(child) {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exited;
  clearTimeout(late);
}

/** The other end of {@link Children.answering}. @param {Record<string, (...args: any[]) => any>} calls */
export function answerCalls(calls) {
  process.on('message', async ({ id, name, args }) => {
    try {
      process.send({ id, result: await calls[name](...args) });
    } catch (error) {
      process.send({ id, error: error.stack ?? String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C goes to all of us; the bench ends us in its own order.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => process.exit(0));
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
