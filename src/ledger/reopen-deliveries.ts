import type { Sql } from '#platform/database';
import { REPORT_HOUR, TIME_BUCKET } from './report-buckets.js';

/** Outcomes that an operator may try again. */
const FAILED = `('partial', 'refused', 'unreachable', 'skipped')`;

/**
 * Opens the failed deliveries of a logout again, from their first channel on, until a new deadline. What the roll-ups counted of them is taken back,
 * so that the report counts each delivery and each logout once, as it ended last. To be run in a transaction.
 * @returns how many deliveries were opened.
 */
export async function reopenDeliveries(sql: Sql, logoutId: string, now: Date, deadlineAt: Date, sweepAt: Date): Promise<number> {
  const [logout] = await sql.query('SELECT 1 FROM logouts WHERE id = $1 FOR UPDATE', [logoutId]);
  if (!logout) return 0;
  await sql.query(
    `INSERT INTO report_delivery_deltas (hour, idp_id, sp_id, channel, cause, outcome, bucket, n, exposure_ms_sum)
     SELECT ${REPORT_HOUR('d.requested_at')}, d.idp_id, d.sp_id, COALESCE(d.channel, 'none'), l.cause, d.outcome, -1, -1, 0
     FROM deliveries d JOIN logouts l ON l.id = d.logout_id WHERE d.logout_id = $1 AND d.outcome IN ${FAILED}`,
    [logoutId],
  );
  await sql.query(
    `INSERT INTO report_logout_deltas (hour, idp_id, cause, verdict, bucket, n, ms_sum)
     SELECT ${REPORT_HOUR('requested_at')}, idp_id, cause, verdict, ${TIME_BUCKET('EXTRACT(EPOCH FROM completed_at - requested_at) * 1000')}, -1,
       -(EXTRACT(EPOCH FROM completed_at - requested_at) * 1000)::bigint
     FROM logouts l WHERE id = $1 AND completed_at IS NOT NULL
       AND EXISTS (SELECT 1 FROM deliveries d WHERE d.logout_id = l.id AND d.outcome IN ${FAILED})`,
    [logoutId],
  );
  const reopened = await sql.query(
    `UPDATE deliveries SET outcome = 'retrying', channel_index = 0, tries_on_channel = 0, next_attempt_at = $2, deadline_at = $3, lease_until = NULL,
       settled_at = NULL, exposure_ms = NULL, detail = 'replayed'
     WHERE logout_id = $1 AND outcome IN ${FAILED} RETURNING n`,
    [logoutId, now, deadlineAt],
  );
  if (reopened.length > 0) {
    await sql.query(
      `UPDATE logouts SET open = open + $2, failed = 0, partial = 0, completed_at = NULL, verdict = 'pending', deadline_at = $3, sweep_at = $4 WHERE id = $1`,
      [logoutId, reopened.length, deadlineAt, sweepAt],
    );
  }
  return reopened.length;
}
