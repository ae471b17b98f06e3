import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExeuntError } from '#domain';
import { identifyProcess, isRunning } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';

interface LockRecord extends ProcessIdentity {
  released?: boolean;
}

/** Held for as long as this process lives, or until `release`. */
export interface FolderLock {
  release: () => void;
}

const PREFIX = 'postgres.lock.';

/**
 * Takes the one lock of a folder. Node has no flock, and a plain pid file cannot be taken over from a dead holder
 * without a race; so each holder is a *generation*: the file with the highest number. A dead or released generation
 * n is succeeded by linking n+1 (atomic: one of several wins), and the highest file is never deleted, so that a
 * number cannot be used twice. A holder killed with -9 is told from a living one by its pid and its start time.
 * @throws ExeuntError `conflict` that names the holder, while another process (or this one) holds it.
 */
export function lockFolder(folder: string): FolderLock {
  const own = join(folder, `${PREFIX}tmp-${process.pid}-${randomBytes(6).toString('hex')}`);
  const me: LockRecord = identifyProcess(process.pid);
  writeFileSync(own, JSON.stringify(me), { mode: 0o644, flag: 'wx' });
  try {
    for (;;) {
      const last = generations(folder).at(-1) ?? 0;
      const holder = last === 0 ? undefined : readRecord(folder, last);
      if (holder && !holder.released && isRunning(holder)) throw heldBy(folder, holder);
      const mine = last + 1;
      if (!tryLink(own, join(folder, `${PREFIX}${mine}`))) continue;
      if (generations(folder).at(-1) !== mine) {
        // We had looked too early: others had passed this number already.
        rmSync(join(folder, `${PREFIX}${mine}`), { force: true });
        continue;
      }
      for (const older of generations(folder)) if (older < mine) rmSync(join(folder, `${PREFIX}${older}`), { force: true });
      return { release: () => writeRecord(folder, mine, { ...me, released: true }) };
    }
  } finally {
    rmSync(own, { force: true });
  }
}

function heldBy(folder: string, holder: LockRecord): ExeuntError {
  return new ExeuntError(
    'conflict',
    `The database folder ${folder} is in use by process ${holder.pid}. Stop that process first, or give this one a folder of its own with EXEUNT_DATA_DIR.`,
    [{ field: 'EXEUNT_DATA_DIR', seen: folder, rule: `not in use by another process (${holder.pid} is running)` }],
  );
}

function generations(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => Number(name.slice(PREFIX.length)))
    .filter((n) => Number.isSafeInteger(n) && n > 0)
    .sort((a, b) => a - b);
}

/** A record that is gone or unreadable has no holder: it can only be one that was passed, or torn by a lost disk. */
function readRecord(folder: string, generation: number): LockRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${PREFIX}${generation}`), 'utf8')) as LockRecord;
  } catch {
    return undefined;
  }
}

function writeRecord(folder: string, generation: number, record: LockRecord): void {
  const path = join(folder, `${PREFIX}${generation}`);
  const next = join(folder, `${PREFIX}tmp-${process.pid}-${randomBytes(6).toString('hex')}`);
  writeFileSync(next, JSON.stringify(record));
  renameSync(next, path);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
