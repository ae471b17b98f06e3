import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ExeuntError, messageOf } from '#domain';
import type { Account } from './account.js';
import type { Binaries } from './binaries.js';
import type { EmbeddedLog } from './log.js';

/** The one role and the one database of the embedded server. */
export const ROLE = 'exeunt';
export const DATABASE = 'exeunt';

const UNFINISHED = 'postgres.unfinished-';

/** The password of the embedded server: random, made once, mode 0600 in the data folder. */
export function readPassword(dataDir: string, clusterExists: boolean): string {
  const file = join(dataDir, 'postgres.password');
  if (existsSync(file)) {
    const password = readFileSync(file, 'utf8').trim();
    if (password !== '') return password;
  }
  if (clusterExists) {
    throw new ExeuntError(
      'configuration',
      `The embedded PostgreSQL has data, but its password is missing: ${file}. Bring that file back, or move the data away to begin with an empty database.`,
    );
  }
  const password = randomBytes(24).toString('base64url');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return password;
}

export interface ClusterRequest {
  place: string;
  binaries: Binaries;
  account: Account | undefined;
  password: string;
  fsync: boolean;
  log: EmbeddedLog;
}

/** @throws ExeuntError `configuration` when the cluster is another user's: nothing of it can be read, and the plain refusal would not say why. */
export function checkOwner(place: string): void {
  const folder = join(place, 'postgres');
  const own = process.getuid?.();
  if (own === undefined || own === 0 || !existsSync(folder)) return;
  const { uid } = statSync(folder);
  if (own !== uid) {
    throw new ExeuntError(
      'configuration',
      `The data in ${folder} belongs to uid ${uid}, this process runs as uid ${own}. Start Exeunt as its owner, or set EXEUNT_DATA_DIR to another folder.`,
    );
  }
}

/** True when a complete cluster is in `place`. */
export function hasCluster(place: string): boolean {
  return existsSync(join(place, 'postgres', 'PG_VERSION'));
}

/**
 * The cluster in `<place>/postgres`, made by initdb when there is none: beside it first and then renamed, so that a
 * start which is cut short leaves no half of one.
 * @throws ExeuntError `configuration`: made by another major version, owned by somebody else, or initdb refused.
 */
export async function ensureCluster(request: ClusterRequest): Promise<string> {
  const { place, binaries } = request;
  const folder = join(place, 'postgres');
  removeUnfinished(place);
  if (hasCluster(place)) {
    checkCluster(folder, binaries);
    return folder;
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new ExeuntError(
      'configuration',
      `${folder} is not empty, and not a PostgreSQL data folder. Move it away, or set EXEUNT_DATA_DIR to another folder.`,
    );
  }
  const unfinished = join(place, UNFINISHED + randomBytes(6).toString('hex'));
  mkdirSync(unfinished, { mode: 0o700 });
  try {
    await runInitdb(request, unfinished);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** The initdb of a killed start may still write for a moment; what cannot be removed yet is removed by the next start. */
function removeUnfinished(place: string): void {
  for (const name of readdirSync(place)) {
    if (!name.startsWith(UNFINISHED)) continue;
    try {
      rmSync(join(place, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    } catch {
      continue;
    }
  }
}

function checkCluster(folder: string, binaries: Binaries): void {
  const made = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  const major = binaries.version.replace(/\D.*$/, '');
  if (made !== major) {
    throw new ExeuntError(
      'configuration',
      `The data in ${folder} was made by PostgreSQL ${made}, the embedded server is ${binaries.version}. Move the data with pg_dump, or set DATABASE_URL to a PostgreSQL ${made}.`,
    );
  }
}

async function runInitdb({ place, binaries, account, password, fsync, log }: ClusterRequest, folder: string): Promise<void> {
  const passwordFile = join(place, `${UNFINISHED}password-${randomBytes(6).toString('hex')}`);
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  try {
    if (account) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);
    log.info(`creating the database of the embedded PostgreSQL ${binaries.version} in ${join(place, 'postgres')}`);
    const { stdout } = await promisify(execFile)(
      binaries.initdb,
      [
        `--pgdata=${folder}`,
        `--username=${ROLE}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // PostgreSQL's own C.UTF-8: the same order and case rules on every machine, whatever locales it has.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        ...(fsync ? [] : ['--no-sync']),
      ],
      { ...account, cwd: '/', env: SERVER_ENVIRONMENT },
    );
    log.debug(stdout.trim());
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim();
    if (said?.includes('could not look up effective user ID')) {
      throw new ExeuntError(
        'configuration',
        `The embedded PostgreSQL needs an account with a name, and uid ${process.getuid?.()} has none on this system. Give it one (an entry in /etc/passwd), or set DATABASE_URL.`,
        [],
        { cause: error },
      );
    }
    throw new ExeuntError(
      'configuration',
      `The embedded PostgreSQL could not create its database in ${folder}: ${said || messageOf(error)}`,
      [],
      { cause: error },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Nothing of ours reaches the server: PGDATA, PGPORT, LC_ALL of the caller would change what it does. */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };
