import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { createDataSource, Database } from '#platform/database';
import { freshDatabase } from '../support/postgres.js';
import type { FreshDatabase } from '../support/postgres.js';
import { until } from '../support/process.js';

let fresh: FreshDatabase;
let dataSource: DataSource;
let database: Database;

beforeEach(async () => {
  fresh = await freshDatabase();
  dataSource = await createDataSource({ url: fresh.url, poolSize: 2, statementTimeoutMs: 30_000 }).initialize();
  database = new Database(dataSource);
});
afterEach(async () => {
  await dataSource.destroy();
  await fresh.drop();
});

async function cut(pid: number): Promise<void> {
  await database.query('SELECT pg_terminate_backend($1)', [pid]);
  await until(
    async () => (await database.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid])).length === 0,
    'the connection is cut',
  );
}

describe('a connection that Postgres cuts', () => {
  it('between two statements of a transaction fails that transaction alone: the process lives, and the pool gives a new connection', async () => {
    const transaction = database.transaction(async (sql) => {
      const [own] = await sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await cut(own!.pid);
      // The farewell of the server has come by then.
      await until(
        () =>
          sql.query('SELECT 1').then(
            () => false,
            () => true,
          ),
        'the connection is known to be cut',
      );
      return sql.query('SELECT 1');
    });
    await expect(transaction).rejects.toMatchObject({ code: 'unavailable' });
    expect(await database.transaction((sql) => sql.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('while a statement runs fails that statement alone', async () => {
    const sleeping = database.query('SELECT pg_sleep(60)');
    sleeping.catch(() => undefined);
    let pid: number | undefined;
    await until(async () => {
      const [row] = await database.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'`,
      );
      pid = row?.pid;
      return pid !== undefined;
    }, 'the statement runs');
    await cut(pid!);
    await expect(sleeping).rejects.toMatchObject({ code: 'unavailable', cause: { code: '57P01' } });
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('a fault of the statement itself stays what it is', async () => {
    await expect(database.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await expect(database.transaction((sql) => sql.query('SELECT no_such_column'))).rejects.toMatchObject({ code: '42703' });
  });

  it('a server that is not there is said to be unavailable', async () => {
    const nowhere = new DataSource({ type: 'postgres', url: fresh.url.replace(/:\d+\//, ':1/') });
    // As after a start: the pool is there, its server is not any more.
    (nowhere.driver as unknown as { master: pg.Pool }).master = new pg.Pool({
      connectionString: 'postgresql://nobody@127.0.0.1:1/nothing',
    });
    await expect(new Database(nowhere).query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable', cause: { code: 'ECONNREFUSED' } });
    await expect(new Database(nowhere).transaction((sql) => sql.query('SELECT 1'))).rejects.toMatchObject({ code: 'unavailable' });
  });
});
