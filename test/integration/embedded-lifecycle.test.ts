import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endAll, hold, holdReady, sql } from '../support/embedded.js';
import { isAlive, until } from '../support/process.js';

// Many processes one after the other, on whatever machine this is.
jest.setTimeout(120_000);

let parent = '';
let dataDir = '';

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'exeunt-embedded-'));
  chmodSync(parent, 0o755);
  dataDir = join(parent, 'data');
});
afterEach(async () => {
  await endAll();
  rmSync(parent, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

const pidFile = () => join(dataDir, 'postgres', 'postmaster.pid');

describe('the embedded PostgreSQL', () => {
  it('keeps what was committed, its port and its password over a clean stop by SIGTERM', async () => {
    const first = await holdReady(dataDir);
    await sql(first.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    expect(await first.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(isAlive(first.server)).toBe(false);
    expect(existsSync(pidFile())).toBe(false);

    const second = await holdReady(dataDir);
    expect(second.url).toBe(first.url);
    expect(await sql(second.url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    expect(second.output).not.toMatch(/recover|earlier run/);
    await second.end();
  });

  it('outlives a Ctrl-C that reaches the whole process group, until its owner stops it', async () => {
    const owner = await holdReady(dataDir, { detached: true });
    process.kill(-owner.pid, 'SIGINT');
    expect(await owner.ending()).toEqual({ code: 0, signal: null });
    expect(owner.output).toContain('stopped');
    expect(owner.output).not.toContain('ended by itself');
    expect(isAlive(owner.server)).toBe(false);
  });

  it('is durable by default', async () => {
    const owner = await holdReady(dataDir, { fsync: true });
    const [settings] = await sql(
      owner.url,
      "SELECT current_setting('fsync') f, current_setting('synchronous_commit') s, current_setting('full_page_writes') p, current_setting('max_connections')::int c",
    );
    expect(settings).toEqual({ f: 'on', s: 'on', p: 'on', c: 200 });
    await owner.end();
  });

  it('starts again after its owner was killed with -9 and the server lived on', async () => {
    const first = await holdReady(dataDir);
    await sql(first.url, 'CREATE TABLE kept AS SELECT 2 AS n');
    await first.end('SIGKILL');
    expect(isAlive(first.server)).toBe(true);

    const second = await holdReady(dataDir);
    expect(second.output).toContain(`earlier run still runs (pid ${first.server})`);
    expect(isAlive(first.server)).toBe(false);
    expect(second.server).not.toBe(first.server);
    expect(await sql(second.url, 'SELECT n FROM kept')).toEqual([{ n: 2 }]);
    await second.end();
  });

  it('starts again after owner and server were killed with -9, over the stale pid file', async () => {
    const first = await holdReady(dataDir, { fsync: true });
    await sql(first.url, 'CREATE TABLE kept AS SELECT 3 AS n');
    await first.end('SIGKILL');
    process.kill(first.server, 'SIGKILL');
    await until(() => !isAlive(first.server), 'the server is gone');
    expect(existsSync(pidFile())).toBe(true);

    const second = await holdReady(dataDir, { fsync: true });
    expect(await sql(second.url, 'SELECT n FROM kept')).toEqual([{ n: 3 }]);
    await second.end();
  });

  it('leaves alone a process that got the pid of the stale file', async () => {
    const first = await holdReady(dataDir);
    await first.end();
    writeFileSync(pidFile(), `${process.pid}\n${join(dataDir, 'postgres')}\n1\n${first.port}\n\n127.0.0.1\n`, { mode: 0o600 });

    const second = await holdReady(dataDir);
    expect(second.output).toContain('another program');
    await second.end();
  });

  it('refuses a second start on the same data, names pid and folder, and leaves the first unharmed', async () => {
    const first = await holdReady(dataDir);
    const second = hold(dataDir);
    expect((await second.ending()).code).toBe(1);
    expect(second.output).toContain(`in use by process ${first.pid}`);
    expect(second.output).toContain(dataDir);
    expect(await sql(first.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    expect((await first.end()).code).toBe(0);
  });

  it.each(['empty', 'left by a killed owner'])('of many starts at once on a folder that is %s, one wins', async (state) => {
    if (state !== 'empty') await (await holdReady(dataDir)).end('SIGKILL');
    const all = Array.from({ length: 6 }, () => hold(dataDir));
    await until(() => all.filter((one) => one.isOver).length === 5, 'five of six have ended', 60_000);
    const winner = all.find((one) => !one.isOver)!;
    const [, json = ''] = await winner.says(/^ready (.*)$/m);
    expect(await sql((JSON.parse(json) as { url: string }).url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    for (const one of all) if (one !== winner) expect(one.output).toMatch(/in use by process \d+/);
    expect((await winner.end()).code).toBe(0);
    expect(existsSync(pidFile())).toBe(false);
  });

  it('takes its owner with it when it dies: an error in the log, and status 1', async () => {
    const owner = await holdReady(dataDir);
    process.kill(owner.server, 'SIGKILL');
    expect((await owner.ending()).code).toBe(1);
    expect(owner.output).toMatch(/error The embedded PostgreSQL \(pid \d+\) ended by itself \(signal SIGKILL\)/);
  });

  it('does not stay behind when its owner leaves without stopping it', async () => {
    const owner = await holdReady(dataDir);
    expect((await owner.end('SIGUSR2')).code).toBe(3);
    await until(() => !isAlive(owner.server), 'the server has stopped by itself');
    expect(existsSync(pidFile())).toBe(false);
  });

  it('does not care for the locale and the PostgreSQL variables of its caller', async () => {
    const env = { LC_ALL: 'xx_YY.nonsense', LANG: 'nowhere', PGPORT: '1', PGDATA: '/nowhere', PGUSER: 'nobody', TZ: 'Mars/Olympus' };
    const owner = await holdReady(dataDir, { env });
    const [row] = await sql(
      owner.url,
      "SELECT current_setting('server_encoding') AS encoding, upper('äß') AS upper, 'B' < 'a' AS bytewise, current_setting('TimeZone') AS zone, datlocprovider AS provider FROM pg_database WHERE datname = current_database()",
    );
    expect(row).toEqual({ encoding: 'UTF8', upper: 'Äß', bytewise: true, zone: 'UTC', provider: 'b' });
    await owner.end();
  });

  it('can be reached with its password only, on 127.0.0.1 only', async () => {
    const owner = await holdReady(dataDir);
    const wrong = new URL(owner.url);
    wrong.password = 'guess';
    await expect(sql(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(await sql(owner.url, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules')).toEqual([{ auth_method: 'scram-sha-256' }]);
    const [where] = await sql(
      owner.url,
      "SELECT current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS sockets",
    );
    expect(where).toEqual({ tcp: '127.0.0.1', sockets: '' });
    expect(statSync(join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
    expect(new URL(owner.url).password.length).toBeGreaterThanOrEqual(32);
    expect(owner.output.replace(/^ready .*$/m, '')).not.toContain(new URL(owner.url).password);
    await owner.end();
  });

  it('takes another port when that of the last start is taken', async () => {
    const first = await holdReady(dataDir);
    await first.end();
    const taken = createServer().listen(first.port, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    try {
      const second = await holdReady(dataDir);
      expect(second.port).not.toBe(first.port);
      await second.end();
      expect(Number(readFileSync(join(dataDir, 'postgres.port'), 'utf8'))).toBe(second.port);
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  it('begins again where a first start was cut short', async () => {
    const first = hold(dataDir);
    await first.says(/creating the database/);
    await first.end('SIGKILL');
    mkdirSync(join(dataDir, 'postgres.unfinished-left'), { recursive: true });
    await (await holdReady(dataDir)).end();
    await (await holdReady(dataDir)).end();
    expect(readdirSync(dataDir).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  it('stops when it is asked to before it is ready', async () => {
    const owner = hold(dataDir);
    await owner.says(/creating the database/);
    expect((await owner.end('SIGTERM')).code).toBe(0);
    expect(existsSync(pidFile())).toBe(false);
    const next = await holdReady(dataDir);
    expect((await next.end()).code).toBe(0);
  });

  it('says what is wrong with data of another version, and with a folder that holds something else', async () => {
    await (await holdReady(dataDir)).end();
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '12\n');
    const other = hold(dataDir);
    expect((await other.ending()).code).toBe(1);
    expect(other.output).toMatch(/made by PostgreSQL 12, the embedded server is \d+/);

    rmSync(join(dataDir, 'postgres', 'PG_VERSION'));
    const foreign = hold(dataDir);
    expect((await foreign.ending()).code).toBe(1);
    expect(foreign.output).toContain('not a PostgreSQL data folder');
    expect(readdirSync(join(dataDir, 'postgres')).length).toBeGreaterThan(5);
  });
});
