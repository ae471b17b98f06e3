import type { Database } from '#platform/database';

const DAY_MS = 86_400_000;
/** How far ahead partitions are made, so that a maintenance that fails for days harms nothing. */
const DAYS_AHEAD = 7;
/** Every attempt is updated once, soon, with its result: where its page has room for that, no index has to be touched. Percent. */
const FILLFACTOR = 45;
/** One process at a time makes or drops partitions. */
const PARTITION_LOCK = 7_366_142_004;

/** Makes the daily partitions of the attempts, from yesterday to a week ahead. Days are UTC. */
export async function ensureAttemptPartitions(database: Database, now: Date): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query('SELECT pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
    for (let day = -1; day <= DAYS_AHEAD; day++) {
      const from = startOfDay(now.getTime() + day * DAY_MS);
      const to = new Date(from.getTime() + DAY_MS);
      const [existing] = await sql.query('SELECT 1 FROM pg_class WHERE relname = $1 AND relnamespace = current_schema()::regnamespace', [
        partitionName(from),
      ]);
      if (existing) continue;
      const [stray] = await sql.query('SELECT 1 FROM attempts_default WHERE started_at >= $1 AND started_at < $2 LIMIT 1', [from, to]);
      // Attempts that the default partition has caught stay there until retention takes them; the day keeps using it.
      if (stray) continue;
      await sql.query(
        `CREATE TABLE ${partitionName(from)} PARTITION OF attempts FOR VALUES FROM ('${from.toISOString()}') TO ('${to.toISOString()}')
         WITH (fillfactor = ${FILLFACTOR})`,
      );
    }
  });
}

/**
 * Drops the partitions whose attempts are all older than `before`, but none that holds an attempt of a delivery that is still open.
 * @returns the names of the partitions that were dropped, and of those that were kept for their open deliveries.
 */
export async function dropAttemptPartitions(database: Database, before: Date): Promise<{ dropped: string[]; kept: string[] }> {
  return database.transaction(async (sql) => {
    await sql.query('SELECT pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
    const partitions = await sql.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'attempts'::regclass AND c.relname ~ '^attempts_[0-9]{8}$' ORDER BY 1`,
    );
    const result: { dropped: string[]; kept: string[] } = { dropped: [], kept: [] };
    for (const { name } of partitions.filter((partition) => endOf(partition.name) <= before)) {
      const [open] = await sql.query(
        `SELECT 1 FROM logouts l JOIN ${name} a ON a.logout_id = l.id JOIN deliveries d ON d.logout_id = a.logout_id AND d.n = a.delivery_n
         WHERE l.completed_at IS NULL AND d.outcome IN ('pending', 'retrying', 'awaiting-browser') LIMIT 1`,
      );
      if (open) {
        result.kept.push(name);
        continue;
      }
      await sql.query(`DROP TABLE ${name}`);
      result.dropped.push(name);
    }
    return result;
  });
}

function startOfDay(time: number): Date {
  return new Date(Math.floor(time / DAY_MS) * DAY_MS);
}

function partitionName(day: Date): string {
  return `attempts_${day.toISOString().slice(0, 10).replaceAll('-', '')}`;
}

function endOf(name: string): Date {
  const [, year, month, day] = /(\d{4})(\d{2})(\d{2})$/.exec(name)!;
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) + 1));
}
