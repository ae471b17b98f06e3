import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { Watched, isAlive } from './process.js';

const ROOT = process.cwd();

export interface Held extends Watched {
  url: string;
  port: number;
  /** Pid of the postmaster; `pid` is that of the process that owns it. */
  server: number;
}

export interface HoldOptions {
  /** `false`: durability is not what the test is about. */
  fsync?: boolean;
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
  /** Another checkout than this one. */
  root?: string;
  detached?: boolean;
  /** A command that starts the process, and becomes it. */
  through?: readonly string[];
}

const started: Watched[] = [];
const servers: number[] = [];

/** Starts a process that will own the embedded PostgreSQL of that folder. */
export function hold(dataDir: string, { fsync = false, env = {}, root = ROOT, through = [], ...options }: HoldOptions = {}): Watched {
  const args = ['--import', join(root, 'test/support/typescript-loader.mjs'), join(root, 'test/support/hold-postgres.ts'), dataDir];
  const [command = '', ...rest] = [...through, process.execPath, ...args, ...(fsync ? [] : ['fsync=off'])];
  const watched = new Watched(command, rest, {
    cwd: '/',
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...env },
    ...options,
  });
  started.push(watched);
  return watched;
}

/** As {@link hold}, and waits until it is ready. */
export async function holdReady(dataDir: string, options: HoldOptions = {}): Promise<Held> {
  const watched = hold(dataDir, options);
  const [, json = ''] = await watched.says(/^ready (.*)$/m);
  const { url, port, pid } = JSON.parse(json) as { url: string; port: number; pid: number };
  servers.push(pid);
  return Object.assign(watched, { url, port, server: pid });
}

/** Ends what a failed test has left. */
export async function endAll(): Promise<void> {
  await Promise.all(started.splice(0).map((watched) => watched.end('SIGKILL')));
  for (const pid of servers.splice(0)) if (isAlive(pid) && isPostgres(pid)) process.kill(pid, 'SIGQUIT');
}

function isPostgres(pid: number): boolean {
  try {
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
  } catch {
    return false;
  }
}

export async function sql<Row = Record<string, unknown>>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}
