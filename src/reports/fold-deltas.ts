import type { Database } from '#platform/database';

/** One process at a time folds. */
const FOLD_LOCK = 7_366_142_003;

/**
 * Folds the deltas into the roll-ups. Before and after, the report reads the same: it adds both.
 * @returns how many deltas were folded.
 */
export async function foldDeltas(database: Database): Promise<number> {
  return database.transaction(async (sql) => {
    const [lock] = await sql.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [FOLD_LOCK]);
    if (!lock?.mine) return 0;
    const [logouts] = await sql.query<{ n: number }>(
      `WITH d AS (DELETE FROM report_logout_deltas RETURNING *), folded AS (
         INSERT INTO report_logouts AS r (hour, idp_id, cause, verdict, bucket, n, ms_sum)
         SELECT hour, idp_id, cause, verdict, bucket, sum(n), sum(ms_sum) FROM d GROUP BY 1, 2, 3, 4, 5
         ON CONFLICT (hour, idp_id, cause, verdict, bucket) DO UPDATE SET n = r.n + excluded.n, ms_sum = r.ms_sum + excluded.ms_sum)
       SELECT count(*)::int AS n FROM d`,
    );
    const [deliveries] = await sql.query<{ n: number }>(
      `WITH d AS (DELETE FROM report_delivery_deltas RETURNING *), folded AS (
         INSERT INTO report_deliveries AS r (hour, idp_id, sp_id, channel, cause, outcome, bucket, n, exposure_ms_sum)
         SELECT hour, idp_id, sp_id, channel, cause, outcome, bucket, sum(n), sum(exposure_ms_sum) FROM d GROUP BY 1, 2, 3, 4, 5, 6, 7
         ON CONFLICT (hour, idp_id, sp_id, channel, cause, outcome, bucket)
         DO UPDATE SET n = r.n + excluded.n, exposure_ms_sum = r.exposure_ms_sum + excluded.exposure_ms_sum)
       SELECT count(*)::int AS n FROM d`,
    );
    return logouts!.n + deliveries!.n;
  });
}
