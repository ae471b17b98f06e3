import type { DataSource } from 'typeorm';
import type { Pool, PoolClient, QueryResult } from 'pg';
import { ExeuntError } from '#domain';
import { isAway } from './is-away.js';

/** A statement with a name is prepared once a connection; its text never changes. */
export interface Statement {
  name: string;
  text: string;
}

/** Runs SQL: the pool itself, or the connection of one transaction. */
export interface Sql {
  query<Row = Record<string, unknown>>(statement: Statement | string, params?: readonly unknown[]): Promise<Row[]>;
}

/** Deadlock, serialization failure: the transaction did nothing and may run again. */
const RUN_AGAIN = new Set(['40P01', '40001']);
const RUNS = 5;

/**
 * The hot path's door to Postgres: plain SQL over the pool that TypeORM's DataSource owns
 * (one pool for both). The registry uses TypeORM entities; the graph, the ledger and dispatch
 * write many rows a statement, which an entity manager cannot say.
 */
export class Database implements Sql {
  constructor(private readonly dataSource: DataSource) {}

  private get pool(): Pool {
    // TypeORM types the driver as its interface; `master` is the pg pool of its Postgres driver.
    return (this.dataSource.driver as unknown as { master: Pool }).master;
  }

  /** @throws ExeuntError `unavailable` while the database is away. */
  async query<Row>(statement: Statement | string, params: readonly unknown[] = []): Promise<Row[]> {
    return run<Row>(this.pool, statement, params).catch(explain);
  }

  /**
   * Runs `work` in one transaction; again from its start after a deadlock or serialization failure (at most 5 runs).
   * @throws ExeuntError `unavailable` while the database is away. It may have committed: only the answer may be what was lost.
   */
  async transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    return this.runTransaction(work).catch(explain);
  }

  private async runTransaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    for (let runs = 1; ; runs++) {
      const client = await this.pool.connect();
      let broken: Error | undefined;
      // The pool listens only to clients that are idle. Without this, a connection that is cut between two statements would end the process.
      const onCut = (error: Error): void => {
        broken = error;
      };
      client.on('error', onCut);
      try {
        await client.query('BEGIN');
        const result = await work({ query: (statement, params = []) => run(client, statement, params) });
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((rollbackError: Error) => {
          broken = rollbackError;
        });
        if (runs < RUNS && RUN_AGAIN.has((error as { code?: string }).code ?? '')) continue;
        throw error;
      } finally {
        client.off('error', onCut);
        client.release(broken);
      }
    }
  }
}

/** An error of the driver that means only that the database is away becomes one of ours, which callers can tell from a fault of the statement. */
function explain(error: unknown): never {
  if (isAway(error)) throw new ExeuntError('unavailable', 'The database does not answer; try again', [], { cause: error });
  throw error;
}

async function run<Row>(on: Pool | PoolClient, statement: Statement | string, params: readonly unknown[]): Promise<Row[]> {
  const values = params as unknown[];
  const result: QueryResult = typeof statement === 'string' ? await on.query(statement, values) : await on.query({ ...statement, values });
  return result.rows as Row[];
}
