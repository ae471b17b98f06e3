import type { Sql, Statement } from '#platform/database';
import { REPORT_HOUR, TIME_BUCKET } from './report-buckets.js';
import { isFinal } from './types.js';
import type { CompletedLogout, Settled, Settlement } from './types.js';

const OPEN = `('pending', 'retrying', 'awaiting-browser')`;

/** {@link verdictOf} in SQL; a test holds the two against each other for every combination. */
export const VERDICT = (l: string): string => `CASE
    WHEN ${l}.failed > 0 AND ${l}.proven + ${l}.promised + ${l}.unproven + ${l}.partial = 0 THEN 'failed'
    WHEN ${l}.failed + ${l}.partial > 0 THEN 'partial'
    WHEN ${l}.unproven > 0 THEN 'unproven'
    WHEN ${l}.promised > 0 THEN 'promised'
    ELSE 'complete' END`;

/**
 * The attempts get their results, whatever follows from them.
 *
 * A statement of its own, though it reads like a part of the next one. There PostgreSQL (18.4) left it out now and then: when a row of `logouts` had just
 * been changed by the sweeper, so that the statement looked at it again, this update, on partitions that are chosen when it runs, found nothing.
 */
const WRITE_RESULTS: Statement = {
  name: 'write-attempt-results',
  text: `UPDATE attempts a SET duration_ms = r.duration_ms, result = r.result, http_status = r.http_status, jti = r.jti, error = r.error, channel = r.channel
    FROM unnest($1::uuid[], $2::int[], $3::int[], $4::timestamptz[], $5::int[], $6::text[], $7::int[], $8::text[], $9::text[], $10::text[])
      AS r(logout_id, n, attempt, started_at, duration_ms, result, http_status, jti, error, channel)
    WHERE a.logout_id = r.logout_id AND a.delivery_n = r.n AND a.n = r.attempt AND a.started_at = r.started_at AND a.started_at >= $11 AND a.started_at <= $12`,
};

/**
 * Everything that follows from a number of finished attempts, in one statement:
 * the deliveries get their outcomes, the logouts their counters and, with the last delivery, their verdict; the roll-ups get their deltas.
 * Counters are added to, never counted anew, so that two workers that settle the last two deliveries of one logout at the same time cannot
 * both miss its completion.
 *
 * A result is applied only by the newest attempt of the delivery, so that an attempt whose lease ran out cannot undo a later one, and only once,
 * so that it may be written again when the answer of the database was lost; but proof is taken from whoever brings it.
 */
const SETTLE: Statement = {
  name: 'settle-deliveries',
  text: `WITH r AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::int[], $9::text[], $10::text[])
      AS r(logout_id, n, attempt, outcome, next_attempt_at, settled_at, detail, channel_index, channel, used_channel)
  ), d AS (
    UPDATE deliveries d SET outcome = r.outcome, next_attempt_at = r.next_attempt_at, lease_until = NULL, settled_at = r.settled_at, detail = r.detail,
      channel_index = COALESCE(r.channel_index, d.channel_index), channel = COALESCE(r.channel, r.used_channel, d.channel),
      tries_on_channel = CASE WHEN r.channel_index IS NOT NULL THEN 0 WHEN r.attempt IS NULL THEN d.tries_on_channel ELSE d.tries_on_channel + 1 END,
      exposure_ms = CASE WHEN r.outcome IN ('confirmed', 'expired')
        THEN GREATEST(0, EXTRACT(EPOCH FROM LEAST(r.settled_at, d.session_expires_at) - d.requested_at) * 1000)::bigint END
    FROM r WHERE d.logout_id = r.logout_id AND d.n = r.n AND d.outcome IN ${OPEN}
      AND (r.attempt IS NULL OR (d.attempts = r.attempt AND d.lease_until IS NOT NULL) OR r.outcome IN ('confirmed', 'accepted'))
    RETURNING d.logout_id, d.n, d.idp_id, d.sp_id, d.channel, d.outcome, d.requested_at, d.exposure_ms, d.settled_at IS NOT NULL AS final
  ), c AS (
    SELECT logout_id, count(*)::int AS closed,
      count(*) FILTER (WHERE outcome IN ('confirmed', 'expired'))::int AS proven, count(*) FILTER (WHERE outcome = 'accepted')::int AS promised,
      count(*) FILTER (WHERE outcome = 'attempted')::int AS unproven, count(*) FILTER (WHERE outcome = 'partial')::int AS partial,
      count(*) FILTER (WHERE outcome IN ('refused', 'unreachable', 'skipped'))::int AS failed
    FROM d WHERE final GROUP BY logout_id
  ), l AS (
    UPDATE logouts l SET open = l.open - c.closed, proven = l.proven + c.proven, promised = l.promised + c.promised, unproven = l.unproven + c.unproven,
      partial = l.partial + c.partial, failed = l.failed + c.failed,
      completed_at = CASE WHEN l.open = c.closed THEN $11::timestamptz END,
      verdict = CASE WHEN l.open = c.closed THEN (
        SELECT ${VERDICT('s')} FROM (SELECT l.proven + c.proven AS proven, l.promised + c.promised AS promised, l.unproven + c.unproven AS unproven,
          l.partial + c.partial AS partial, l.failed + c.failed AS failed) s) ELSE 'pending' END
    FROM c WHERE l.id = c.logout_id
    RETURNING l.id, l.idp_id, l.cause, l.requested_at, l.completed_at, l.verdict
  ), counted_deliveries AS (
    INSERT INTO report_delivery_deltas (hour, idp_id, sp_id, channel, cause, outcome, bucket, n, exposure_ms_sum)
    SELECT ${REPORT_HOUR('d.requested_at')}, d.idp_id, d.sp_id, COALESCE(d.channel, 'none'), (SELECT cause FROM logouts WHERE id = d.logout_id), d.outcome,
      CASE WHEN d.exposure_ms IS NULL THEN -1 ELSE ${TIME_BUCKET('d.exposure_ms')} END, count(*), COALESCE(sum(d.exposure_ms), 0)
    FROM d WHERE d.final GROUP BY 1, 2, 3, 4, 5, 6, 7
  ), counted_logouts AS (
    INSERT INTO report_logout_deltas (hour, idp_id, cause, verdict, bucket, n, ms_sum)
    SELECT ${REPORT_HOUR('requested_at')}, idp_id, cause, verdict, ${TIME_BUCKET('EXTRACT(EPOCH FROM completed_at - requested_at) * 1000')}, count(*),
      sum(EXTRACT(EPOCH FROM completed_at - requested_at) * 1000)::bigint
    FROM l WHERE completed_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5
  )
  SELECT logout_id AS "logoutId", n, NULL AS verdict, NULL::timestamptz AS "requestedAt", NULL::timestamptz AS "completedAt" FROM d
  UNION ALL SELECT id, NULL, verdict, requested_at, completed_at FROM l WHERE completed_at IS NOT NULL`,
};

/** What was applied to a delivery, or a logout that it completed. */
type Row = { logoutId: string; n: number; completedAt: null } | ({ n: null } & CompletedLogout);

/** Applies settlements; see the statements for what that means. To be run in a transaction. `settlements` holds a delivery at most once. */
export async function settleDeliveries(
  sql: Sql,
  settlements: readonly Settlement[],
  now: Date,
): Promise<{ settled: Settled[]; completed: CompletedLogout[] }> {
  if (settlements.length === 0) return { settled: [], completed: [] };
  // Always in the same order, so that two workers which settle the same logouts do not lock them crosswise.
  const ordered = [...settlements].sort((a, b) => (a.logoutId < b.logoutId ? -1 : a.logoutId > b.logoutId ? 1 : a.n - b.n));
  await writeResults(sql, ordered);
  const of = <Value>(value: (settlement: Settlement) => Value): Value[] => ordered.map(value);
  const open = (s: Settlement) => (isFinal(s.next) ? null : s.next);
  const final = (s: Settlement) => (isFinal(s.next) ? s.next : null);
  const rows = await sql.query<Row>(SETTLE, [
    of((s) => s.logoutId),
    of((s) => s.n),
    of((s) => s.attempt?.n ?? null),
    of((s) => s.next.outcome),
    of((s) => open(s)?.nextAttemptAt ?? null),
    of((s) => final(s)?.settledAt ?? null),
    of((s) => s.next.detail),
    of((s) => open(s)?.channelIndex ?? null),
    of((s) => open(s)?.channel ?? null),
    of((s) => s.attempt?.channel ?? null),
    now,
  ]);
  const applied = new Set<string>();
  const completed: CompletedLogout[] = [];
  for (const row of rows) {
    if (row.n === null)
      completed.push({ logoutId: row.logoutId, verdict: row.verdict, requestedAt: row.requestedAt, completedAt: row.completedAt });
    else applied.add(`${row.logoutId} ${row.n}`);
  }
  return {
    settled: ordered.map((s) => ({ logoutId: s.logoutId, n: s.n, applied: applied.has(`${s.logoutId} ${s.n}`) })),
    completed,
  };
}

async function writeResults(sql: Sql, settlements: readonly Settlement[]): Promise<void> {
  const attempts = settlements.flatMap(({ logoutId, n, attempt }) => (attempt ? [{ logoutId, deliveryN: n, ...attempt }] : []));
  if (attempts.length === 0) return;
  const of = <Value>(value: (attempt: (typeof attempts)[number]) => Value): Value[] => attempts.map(value);
  const starts = of((a) => a.startedAt.getTime());
  await sql.query(WRITE_RESULTS, [
    of((a) => a.logoutId),
    of((a) => a.deliveryN),
    of((a) => a.n),
    of((a) => a.startedAt),
    of((a) => a.durationMs),
    of((a) => a.result),
    of((a) => a.httpStatus),
    of((a) => a.jti),
    of((a) => a.error),
    of((a) => a.channel),
    // Bounds that are constants let Postgres leave out the partitions that cannot hold these attempts.
    new Date(Math.min(...starts)),
    new Date(Math.max(...starts)),
  ]);
}
