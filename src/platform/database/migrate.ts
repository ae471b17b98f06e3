import { runMigrations as runQueueMigrations } from 'bullmq';
import pg from 'pg';
import type { DataSource } from 'typeorm';

/** Any number of starters may migrate at once; one does it, the others wait for it. */
const MIGRATION_LOCK = 7_366_142_001;

/** Brings the schema of Exeunt, and that of the queue in Postgres, up to date. Safe to run from many processes at once. */
export async function migrate(dataSource: DataSource, url: string, queueSchema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // A connection that is cut fails the statement that needs it; it must not end the process in passing.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
    await runQueueMigrations(client, queueSchema);
  } finally {
    await client.end();
  }
}
