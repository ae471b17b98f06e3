import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Watched, isAlive, until } from '../support/process.js';
import { accountOf, describeAsRoot, othersReach } from '../support/root.js';

const START = join(process.cwd(), 'config/tooling/start.mjs');
const started: Watched[] = [];
let parent = '';
let dataDir = '';
let port = 0;

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'exeunt-start-'));
  chmodSync(parent, 0o755);
  dataDir = join(parent, 'data');
  port = await freePort();
});
afterEach(async () => {
  const server = postmaster();
  await Promise.all(started.splice(0).map((one) => one.end('SIGKILL')));
  if (server !== undefined && isAlive(server)) process.kill(server, 'SIGQUIT');
  rmSync(parent, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

interface StartOptions {
  program?: string;
  args?: string[];
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
  detached?: boolean;
}

function start({ program = process.execPath, args = [START], env = {}, ...options }: StartOptions = {}): Watched {
  const own = { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port), EXEUNT_DATA_DIR: dataDir, ...env };
  const one = new Watched(program, args, { cwd: process.cwd(), env: own, ...options });
  started.push(one);
  return one;
}

async function ready(one: Watched): Promise<void> {
  await until(
    async () => {
      if (one.isOver) throw new Error(`ended before it was ready:\n${one.output}`);
      return (await get('/readyz').catch(() => undefined))?.status === 200;
    },
    'ready',
    120_000,
  );
  await one.says(/Exeunt is ready/);
}

function postmaster(): number | undefined {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}

const token = (one: Watched) => /Admin token[^:]*: (\S+)/.exec(one.output)?.[1];
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers, signal: AbortSignal.timeout(10_000) });
const statusWith = async (bearer: string) => (await get('/v1/identity-providers', { authorization: `Bearer ${bearer}` })).status;

async function stopsCleanly(one: Watched, signal: () => void, code = 0): Promise<void> {
  const server = postmaster()!;
  signal();
  expect([(await one.ending()).code, one.output]).toEqual([code, expect.stringContaining('embedded PostgreSQL stopped')]);
  expect(isAlive(server)).toBe(false);
  expect(postmaster()).toBeUndefined();
}

// A start that finds changed sources builds them first.
jest.setTimeout(180_000);

describe('npm start on an empty data folder', () => {
  it('serves on its own PostgreSQL; prints the URL, the docs, and the admin token on the first start only; stops on SIGTERM', async () => {
    const first = start();
    await ready(first);
    expect(first.output).toContain(`http://127.0.0.1:${port}`);
    expect(first.output).toContain(`http://127.0.0.1:${port}/docs`);
    const admin = token(first);
    expect(admin).toBeDefined();
    expect(await statusWith(admin!)).toBe(200);
    await stopsCleanly(first, () => first.child.kill('SIGTERM'));

    const second = start();
    await ready(second);
    expect(token(second)).toBeUndefined();
    expect(await statusWith(admin!)).toBe(200);
    await stopsCleanly(second, () => second.child.kill('SIGINT'));
  });

  it('by way of npm, a SIGTERM for npm, and a Ctrl-C, which reaches npm, its shell and us, are clean stops', async () => {
    const npm = { program: 'npm', args: ['start', '--silent'], detached: true };
    const first = start(npm);
    await ready(first);
    const server = postmaster()!;
    first.child.kill('SIGTERM');
    await until(() => !isAlive(server), 'the database server has stopped');
    await until(() => first.output.includes('"msg":"stopped"'), 'the end of the log');
    expect(first.output).toContain('embedded PostgreSQL stopped');

    const second = start(npm);
    await ready(second);
    const again = postmaster()!;
    process.kill(-second.pid, 'SIGINT');
    await until(() => !isAlive(again), 'the database server has stopped');
    await until(() => second.output.includes('"msg":"stopped"'), 'the end of the log');
    expect(second.output).toContain('embedded PostgreSQL stopped');
    expect(second.output).not.toContain('did not stop');
    expect(postmaster()).toBeUndefined();
  });

  it('starts again after kill -9, with the orphaned database server still running', async () => {
    const first = start();
    await ready(first);
    const admin = token(first)!;
    const orphan = postmaster()!;
    await first.end('SIGKILL');
    expect(isAlive(orphan)).toBe(true);

    const second = start();
    await ready(second);
    expect(isAlive(orphan)).toBe(false);
    expect(await statusWith(admin)).toBe(200);
    await stopsCleanly(second, () => second.child.kill('SIGTERM'));
  });

  it('starts again after kill -9 of both, over the stale pid file', async () => {
    const first = start();
    await ready(first);
    const admin = token(first)!;
    const server = postmaster()!;
    await first.end('SIGKILL');
    process.kill(server, 'SIGKILL');
    await until(() => !isAlive(server), 'the database server is gone');
    expect(postmaster()).toBe(server);

    const second = start();
    await ready(second);
    expect(await statusWith(admin)).toBe(200);
    await stopsCleanly(second, () => second.child.kill('SIGTERM'));
  });

  it('refuses a second start on the same data, and the first goes on', async () => {
    const first = start();
    await ready(first);
    const second = start({ env: { PORT: String(await freePort()) } });
    expect((await second.ending()).code).toBe(1);
    expect(second.output).toContain(`in use by process ${first.pid}`);
    expect(second.output).toContain(dataDir);
    expect((await get('/readyz')).status).toBe(200);
    await stopsCleanly(first, () => first.child.kill('SIGTERM'));
  });

  it('ends with status 1 when its database server dies', async () => {
    const first = start();
    await ready(first);
    process.kill(postmaster()!, 'SIGKILL');
    expect((await first.ending()).code).toBe(1);
    expect(first.output).toContain('ended by itself (signal SIGKILL)');
  });

  it('stopped while it starts, leaves no database server behind', async () => {
    const first = start();
    await first.says(/creating the database/);
    await until(() => postmaster() !== undefined || first.isOver, 'the database server is there');
    const server = postmaster();
    await first.end('SIGTERM');
    if (server !== undefined) await until(() => !isAlive(server), 'the database server has stopped');
    const second = start();
    await ready(second);
    await stopsCleanly(second, () => second.child.kill('SIGTERM'));
  });

  it('names every fault of its configuration at once, without starting anything', async () => {
    writeFileSync(join(parent, 'exeunt.yaml'), 'server:\n  prot: 1\n');
    const one = start({
      env: { PORT: 'many', EXEUNT_ROLE: 'boss', EXEUNT_CONFIG: join(parent, 'exeunt.yaml'), EXEUNT_ADMIN_TOKEN: 'hunter2' },
    });
    expect((await one.ending()).code).toBe(1);
    for (const name of ['PORT', '"many"', 'EXEUNT_ROLE', '"boss"', 'exeunt.yaml:2 server.prot', 'EXEUNT_ADMIN_TOKEN'])
      expect(one.output).toContain(name);
    expect(one.output).not.toContain('hunter2');
    expect(existsSync(dataDir)).toBe(false);
  });
});

describeAsRoot('npm start as an ordinary user', () => {
  if (!othersReach(process.cwd())) {
    it.skip('left out: other users may not read this checkout', () => undefined);
    return;
  }

  it('serves, stops, and starts again after kill -9', async () => {
    const user = accountOf('nobody');
    mkdirSync(dataDir);
    chownSync(dataDir, user.uid, user.gid);
    const first = start(user);
    await ready(first);
    const orphan = postmaster()!;
    expect(statSync(`/proc/${orphan}`).uid).toBe(user.uid);
    await first.end('SIGKILL');
    const second = start(user);
    await ready(second);
    expect(isAlive(orphan)).toBe(false);
    await stopsCleanly(second, () => second.child.kill('SIGINT'));
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve(free));
    });
  });
}
