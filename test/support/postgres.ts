import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createDataSource, migrate } from '#platform/database';

/** A database of one test file's own, with all migrations applied. */
export interface FreshDatabase {
  url: string;
  /** Cuts whoever is still connected, and removes it. */
  drop(): Promise<void>;
}

const TEMPLATE = 'exeunt_template';
const TEMPLATE_LOCK = 7_366_142_777;
/** The schema that BullMQ's tables of the template are in. */
export const QUEUE_SCHEMA = 'bullmq';

/**
 * A new migrated database, within some 50 ms: a copy of one template that the first caller of the run migrates.
 * @throws Error when the suite's PostgreSQL did not start; its own words are in the message.
 */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = await suiteServer();
  const name = `t_${randomBytes(8).toString('hex')}`;
  await asOwner(server, async (owner) => {
    // Held while copying too: a template must have nobody connected to it.
    await owner.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await owner.query('SELECT 1 FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rowCount === 0) await createTemplate(owner, server);
    await owner.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  });
  return {
    url: withDatabase(server, name),
    drop: () => asOwner(server, async (owner) => void (await owner.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))),
  };
}

/** A new database with nothing in it, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const server = await suiteServer();
  const name = `t_${randomBytes(8).toString('hex')}`;
  await asOwner(server, async (owner) => void (await owner.query(`CREATE DATABASE ${name}`)));
  return {
    url: withDatabase(server, name),
    drop: () => asOwner(server, async (owner) => void (await owner.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))),
  };
}

async function createTemplate(owner: pg.Client, server: string): Promise<void> {
  const unfinished = `${TEMPLATE}_unfinished`;
  await owner.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await owner.query(`CREATE DATABASE ${unfinished}`);
  const url = withDatabase(server, unfinished);
  const dataSource = createDataSource({ url, poolSize: 2, statementTimeoutMs: 60_000 });
  await dataSource.initialize();
  try {
    await migrate(dataSource, url, QUEUE_SCHEMA);
  } finally {
    await dataSource.destroy();
  }
  await owner.query(`ALTER DATABASE ${unfinished} RENAME TO ${TEMPLATE}`);
}

/** URL of the suite's server, as soon as it answers. */
async function suiteServer(): Promise<string> {
  const folder = process.env.EXEUNT_TEST_SERVERS;
  if (!folder)
    throw new Error('EXEUNT_TEST_SERVERS is not set: run the tests through config/tooling/jest.config.mjs, whose set-up starts PostgreSQL');
  const file = join(folder, 'postgres.json');
  for (const until = performance.now() + 120_000; !existsSync(file); await delay(25)) {
    const log = join(folder, 'servers.log');
    if (performance.now() > until)
      throw new Error(`the suite's PostgreSQL did not start within 120 s: ${existsSync(log) ? readFileSync(log, 'utf8') : ''}`);
  }
  const state = JSON.parse(readFileSync(file, 'utf8')) as { url?: string; error?: string };
  if (!state.url) throw new Error(`the suite's PostgreSQL did not start: ${state.error}`);
  return state.url;
}

async function asOwner<T>(server: string, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: withDatabase(server, 'postgres') });
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
