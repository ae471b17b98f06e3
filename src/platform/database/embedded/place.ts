import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { ExeuntError, messageOf } from '#domain';
import type { Account } from './account.js';
import type { EmbeddedLog } from './log.js';

const LOCATION = 'postgres.location';
const ELSEWHERE = ['/var/lib/exeunt', '/var/tmp/exeunt'];

/**
 * Makes the data folder if it is missing and returns its real path. Its mode lets the server's account pass through
 * when we are root (0711), and nobody else when we are not (0700); what is secret in it has its own mode 0600.
 * @throws ExeuntError `configuration` when it cannot be made or written.
 */
export function createDataDir(dataDir: string): string {
  const path = resolve(dataDir);
  try {
    const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
    const first = mkdirSync(path, { recursive: true, mode });
    // The umask may have taken the bits away again.
    if (first !== undefined) chmodSync(path, mode);
    accessSync(path, constants.W_OK | constants.X_OK);
    return realpathSync(path);
  } catch (error) {
    throw new ExeuntError('configuration', `The data folder ${path} cannot be created or written: ${messageOf(error)}`, [
      { field: 'EXEUNT_DATA_DIR', seen: path, rule: 'a folder that Exeunt may create and write' },
    ]);
  }
}

/** Where an earlier start put the cluster of this data folder: the data folder itself, unless it says otherwise. */
export function readPlace(dataDir: string): string {
  const file = join(dataDir, LOCATION);
  if (!existsSync(file)) return dataDir;
  const place = readFileSync(file, 'utf8').trim();
  if (isAbsolute(place)) return place;
  throw new ExeuntError(
    'configuration',
    `${file} must hold the absolute path of the folder of the embedded PostgreSQL, it holds "${place}"`,
  );
}

/**
 * The folder that holds the cluster: the data folder when the server's account can reach it. Below a home folder with
 * mode 0700 (`/root`, usually) it cannot; then a folder of root's elsewhere, remembered in the data folder.
 */
export function choosePlace(dataDir: string, account: Account | undefined, log: EmbeddedLog): string {
  const known = readPlace(dataDir);
  if (known !== dataDir) {
    if (existsSync(join(known, 'postgres', 'PG_VERSION'))) return known;
    throw new ExeuntError(
      'configuration',
      `${join(dataDir, LOCATION)} says that the database is in ${known}, and it is not there. Bring that folder back, or remove the file to begin with an empty database.`,
    );
  }
  if (!account || canReach(account, dataDir)) return dataDir;
  return placeElsewhere(dataDir, account, log);
}

/** Written once the cluster is there, so that a start which was cut short begins again instead of missing its data. */
export function rememberPlace(dataDir: string, place: string): void {
  if (place !== dataDir) writeFileSync(join(dataDir, LOCATION), `${place}\n`, { mode: 0o644 });
}

/** Asks the system, by entering the folder as that account: mode bits alone do not tell of access lists or mounts. */
export function canReach(account: Account, folder: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}

function placeElsewhere(dataDir: string, account: Account, log: EmbeddedLog): string {
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const refusals: string[] = [];
  for (const parent of ELSEWHERE) {
    const place = join(parent, name);
    try {
      makeTrusted(parent);
      makeTrusted(place);
      if (!canReach(account, place)) throw new Error(`uid ${account.uid} cannot reach it`);
      log.warn(`uid ${account.uid}, as which the embedded PostgreSQL runs, cannot reach ${dataDir}: the database is kept in ${place}`);
      return place;
    } catch (error) {
      refusals.push(`${place}: ${messageOf(error)}`);
    }
  }
  throw new ExeuntError(
    'configuration',
    `The embedded PostgreSQL runs as uid ${account.uid}, which cannot reach ${dataDir}, and no other place is usable (${refusals.join('; ')}). Set EXEUNT_DATA_DIR to a folder that other users may pass through, or set DATABASE_URL.`,
  );
}

/** Others may write beside it (`/var/tmp`); nobody but root may have made it or may change it. */
function makeTrusted(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const { uid, mode } = lstatSync(folder);
  if (!lstatSync(folder).isDirectory() || uid !== 0 || (mode & 0o022) !== 0) throw new Error('is not a folder that only root can change');
}
