/**
 * The suite's own PostgreSQL and Redis, in a process of their own: it ends them, and removes their files, when its
 * standard input closes, which happens however the test run ends (also with kill -9).
 * Writes `postgres.json` (`{url}` or `{error}`) into the folder given as its argument once PostgreSQL answers.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
// Not by `#platform/database`: a migration with a fault in it must not take away what other tests need.
import { startEmbeddedPostgres } from '../../src/platform/database/embedded/index.js';

const [folder, redisPort] = process.argv.slice(2);
if (!folder) throw new Error('usage: servers.ts FOLDER [REDIS-PORT]');

const abort = new AbortController();
const quiet = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };

const redis = redisPort ? startRedis(Number(redisPort)) : undefined;
const postgres = startEmbeddedPostgres({ dataDir: join(folder, 'data'), fsync: false, log: quiet, signal: abort.signal });
postgres.then(
  ({ url }) => report({ url }),
  (error: Error) => report({ error: error.message }),
);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.stdin.resume();
process.stdin.on('end', () => void end());
process.stdin.on('error', () => void end());

function report(state: { url: string } | { error: string }): void {
  writeFileSync(join(folder!, 'postgres.tmp'), JSON.stringify(state), { mode: 0o600 });
  renameSync(join(folder!, 'postgres.tmp'), join(folder!, 'postgres.json'));
}

function startRedis(port: number): ChildProcess {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder!];
  return spawn('redis-server', settings, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
}

async function end(): Promise<void> {
  abort.abort();
  await postgres.then(
    (server) => server.stop(),
    () => undefined,
  );
  if (redis && redis.exitCode === null && redis.pid !== undefined) {
    const gone = new Promise((resolve) => redis.once('exit', resolve));
    redis.kill('SIGTERM');
    await gone;
  }
  rmSync(folder!, { recursive: true, force: true });
  process.exit(0);
}
