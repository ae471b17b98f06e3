import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ExeuntError } from '#domain';
import type { EmbeddedLog } from './log.js';

/** Whom the server runs as when we are root: PostgreSQL refuses root. */
export interface Account {
  uid: number;
  gid: number;
}

/**
 * `undefined`: we are an ordinary user and the server runs as us. As root: the owner of an existing cluster, else the
 * system's `postgres` account (created when there is none, as every PostgreSQL package does), else `nobody`.
 */
export function chooseAccount(clusterFolder: string, log: EmbeddedLog): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = ownerOf(clusterFolder);
  if (owner) return owner;
  const postgres = lookUp('postgres') ?? createPostgres(log);
  if (postgres) return postgres;
  const nobody = lookUp('nobody');
  if (nobody) {
    log.warn('PostgreSQL cannot run as root and an account "postgres" could not be created: the embedded server runs as "nobody"');
    return nobody;
  }
  throw new ExeuntError(
    'configuration',
    'The embedded PostgreSQL cannot run as root, and this system has neither an account "postgres" nor "nobody". Start Exeunt as an ordinary user, or set DATABASE_URL.',
  );
}

function ownerOf(clusterFolder: string): Account | undefined {
  try {
    const { uid, gid } = statSync(join(clusterFolder, 'PG_VERSION'));
    return uid === 0 ? undefined : { uid, gid };
  } catch {
    return undefined;
  }
}

function lookUp(name: string): Account | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    const account = { uid: id('-u'), gid: id('-g') };
    return account.uid > 0 && account.gid > 0 ? account : undefined;
  } catch {
    return undefined;
  }
}

function createPostgres(log: EmbeddedLog): Account | undefined {
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  log.info('created the system account "postgres" for the embedded PostgreSQL, which cannot run as root');
  return lookUp('postgres');
}
