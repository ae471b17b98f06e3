import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Watched, until } from '../support/process.js';
import { freePort } from './ports.js';

/** A Redis that remembers nothing over a restart, with an address that stays the same. */
export class RedisServer {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private process: Watched,
  ) {}

  static async start(): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'exeunt-chaos-redis-'));
    const port = await freePort();
    const server = new RedisServer(folder, port, launch(folder, port));
    await server.answers();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async flush(): Promise<void> {
    const answer = await ask(this.port, 'FLUSHALL');
    if (!answer.startsWith('+OK')) throw new Error(`FLUSHALL was answered with ${answer}`);
  }

  async kill(): Promise<void> {
    await this.process.end('SIGKILL');
  }

  async startAgain(): Promise<void> {
    this.process = launch(this.folder, this.port);
    await this.answers();
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async answers(): Promise<void> {
    await until(
      async () => {
        if (this.process.isOver) throw new Error(`redis-server ended: ${this.process.output}`);
        return (await ask(this.port, 'PING').catch(() => '')).startsWith('+PONG');
      },
      'redis-server answers',
      60_000,
    );
  }
}

function launch(folder: string, port: number): Watched {
  return new Watched('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]);
}

/** One command, one line of an answer. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString());
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}
