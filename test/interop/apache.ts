import { once } from 'node:events';
import { chownSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Watched, until } from '../support/process.js';
import { accountOf, isRoot } from '../support/root.js';
import { apacheConfig } from './apache-config.js';
import type { Site } from './apache-config.js';
import { APACHE } from './products.js';

/** An Apache of the test's own: its configuration, sessions and logs are in one folder, and it is nobody's service. */
export interface Apache {
  /** Ends it, or ends what is left; sessions stay. */
  stop(): Promise<void>;
  /** Starts it again, with the same sessions. */
  start(): Promise<void>;
  /** While true it answers 503 to everything, as in maintenance. */
  maintenance(on: boolean): void;
  /** Its error log. */
  log(): string;
  remove(): Promise<void>;
}

/** As root it becomes www-data, as the system's own Apache does. */
export async function startApache(sites: readonly Site[]): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), 'exeunt-apache-'));
  const account = isRoot ? accountOf('www-data') : undefined;
  const closed = join(folder, 'closed');
  for (const part of ['cache', 'site', 'site/app']) mkdirSync(join(folder, part));
  writeFileSync(join(folder, 'site/app/index.html'), 'You are in.\n');
  writeFileSync(join(folder, 'apache.conf'), apacheConfig(folder, sites), { mode: 0o600 });
  if (account) {
    for (const part of ['', 'cache', 'apache.conf']) chownSync(join(folder, part), account.uid, account.gid);
    chmodSync(folder, 0o711);
  }
  let running: Watched | undefined;
  const log = () => {
    try {
      return readFileSync(join(folder, 'error.log'), 'utf8');
    } catch {
      return '';
    }
  };
  const start = async () => {
    const apache = new Watched(APACHE, ['-f', join(folder, 'apache.conf'), '-D', 'FOREGROUND'], {
      cwd: '/',
      env: { PATH: process.env.PATH },
      ...account,
    });
    running = apache;
    await until(
      async () => {
        if (apache.isOver) throw new Error(`Apache ended by itself:\n${apache.output}${log()}`);
        return Promise.all(sites.map(({ port }) => listens(port))).then((answers) => answers.every(Boolean));
      },
      `Apache listens on ${sites.map(({ port }) => port).join(', ')}`,
    );
  };
  const stop = async () => {
    await running?.end('SIGTERM');
    running = undefined;
  };
  await start();
  return {
    start,
    stop,
    maintenance: (on) => (on ? writeFileSync(closed, '') : rmSync(closed, { force: true })),
    log,
    remove: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
