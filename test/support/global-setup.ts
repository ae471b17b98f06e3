import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SuiteServers } from './suite-servers.js';

/**
 * One PostgreSQL and, where a `redis-server` is on the machine, one Redis for the whole run. PostgreSQL comes up
 * beside the first tests; those that need it wait for it (`freshDatabase`).
 */
export default async function globalSetup(_: unknown, { rootDir }: { rootDir: string }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'exeunt-test-'));
  // The server's own account passes through when the suite runs as root.
  chmodSync(folder, 0o711);
  const redisPort = hasRedis() ? await freePort() : undefined;
  const log = openSync(join(folder, 'servers.log'), 'a');
  const child = spawn(
    process.execPath,
    [
      '--import',
      join(rootDir, 'test/support/typescript-loader.mjs'),
      join(rootDir, 'test/support/servers.ts'),
      folder,
      ...(redisPort ? [String(redisPort)] : []),
    ],
    { cwd: rootDir, stdio: ['pipe', 'ignore', log], detached: true, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // The run may end while it is up: the pipe's end is what it then sees.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  (globalThis as { exeuntSuiteServers?: SuiteServers }).exeuntSuiteServers = { child, exited };
  process.env.EXEUNT_TEST_SERVERS = folder;
  if (redisPort) {
    if (!(await answers(redisPort, exited))) {
      const said = readFileSync(join(folder, 'servers.log'), 'utf8');
      child.stdin?.end();
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`the suite's redis-server does not answer on 127.0.0.1:${redisPort}:\n${said}`);
    }
    process.env.EXEUNT_TEST_REDIS_URL = `redis://127.0.0.1:${redisPort}`;
  }
}

function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function answers(port: number, exited: Promise<void>): Promise<boolean> {
  let over = false;
  void exited.then(() => (over = true));
  for (const until = performance.now() + 30_000; performance.now() < until && !over; await delay(20)) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => (socket.destroy(), resolve(true)));
      socket.once('error', () => resolve(false));
    });
    if (open) return true;
  }
  return false;
}
