import { gradeOf, isOpen, verdictOf } from '#domain';
import type { Grade } from '#domain';
import type { Sql, Statement } from '#platform/database';
import { REPORT_HOUR, TIME_BUCKET } from './report-buckets.js';
import type { PlannedLogout } from './types.js';

const LOGOUTS: Statement = {
  name: 'record-logouts',
  text: `INSERT INTO logouts (id, graph_id, idp_id, cause, initiator, scope, reason, target, follows, requested_at, deadline_at, completed_at, verdict,
    sessions, deliveries, open, proven, failed, sweep_at)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::uuid[], $10::timestamptz[],
    $11::timestamptz[], $12::timestamptz[], $13::text[], $14::int[], $15::int[], $16::int[], $17::int[], $18::int[], $19::timestamptz[])`,
};

const DELIVERIES: Statement = {
  name: 'record-deliveries',
  text: `INSERT INTO deliveries (logout_id, n, graph_id, idp_id, sp_id, session_id, also_sessions, layer, token_sid, token_sub, saml, channel, outcome,
    detail, requested_at, next_attempt_at, deadline_at, session_expires_at, settled_at, exposure_ms)
  SELECT logout_id, n, graph_id, idp_id, sp_id, session_id, also_sessions::uuid[], layer, token_sid, token_sub, saml, channel, outcome, detail,
    requested_at, next_attempt_at, deadline_at, session_expires_at, settled_at, CASE WHEN outcome = 'confirmed' THEN 0 END
  FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::jsonb[])
    AS n(logout_id, n, graph_id, idp_id, sp_id, session_id, also_sessions, layer, token_sid, token_sub, channel, outcome, detail,
    requested_at, next_attempt_at, deadline_at, session_expires_at, settled_at, saml)`,
};

/** Deliveries that are final from the start and logouts that have nobody to tell are counted here; the others when they settle. */
const COUNT_FINAL: Statement = {
  name: 'count-deliveries-final-at-once',
  text: `INSERT INTO report_delivery_deltas (hour, idp_id, sp_id, channel, cause, outcome, bucket, n, exposure_ms_sum)
  SELECT ${REPORT_HOUR('d.requested_at')}, d.idp_id, d.sp_id, COALESCE(d.channel, 'none'), l.cause, d.outcome,
    CASE WHEN d.exposure_ms IS NULL THEN -1 ELSE ${TIME_BUCKET('d.exposure_ms')} END, count(*), 0
  FROM deliveries d JOIN logouts l ON l.id = d.logout_id WHERE d.logout_id = ANY($1::uuid[]) AND d.settled_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7`,
};

const COUNT_COMPLETED: Statement = {
  name: 'count-completed-at-once',
  text: `INSERT INTO report_logout_deltas (hour, idp_id, cause, verdict, bucket, n, ms_sum)
  SELECT ${REPORT_HOUR('requested_at')}, idp_id, cause, verdict, ${TIME_BUCKET('0')}, count(*), 0
  FROM logouts WHERE id = ANY($1::uuid[]) AND completed_at IS NOT NULL GROUP BY 1, 2, 3, 4`,
};

/**
 * Writes logouts and all their deliveries, in the transaction that ended the sessions.
 * @param sweepAfterMs when the sweeper looks at them first, should the queue have lost them.
 */
export async function recordLogouts(sql: Sql, logouts: readonly PlannedLogout[], sweepAfterMs: number): Promise<void> {
  if (logouts.length === 0) return;
  const counts = logouts.map(countGrades);
  const of = <Value>(value: (logout: PlannedLogout, at: number) => Value): Value[] => logouts.map(value);
  await sql.query(LOGOUTS, [
    of((l) => l.id),
    of((l) => l.graphId),
    of((l) => l.idpId),
    of((l) => l.cause),
    of((l) => l.initiator),
    of((l) => l.scope),
    of((l) => l.reason),
    of((l) => JSON.stringify(l.target)),
    of((l) => l.follows),
    of((l) => l.requestedAt),
    of((l) => l.deadlineAt),
    of((l, at) => (counts[at]!.open === 0 ? l.requestedAt : null)),
    of((_, at) => verdictOf(counts[at]!)),
    of((l) => l.sessions),
    of((l) => l.deliveries.length),
    of((_, at) => counts[at]!.open),
    of((_, at) => counts[at]!.proven),
    of((_, at) => counts[at]!.failed),
    of((l) => new Date(l.requestedAt.getTime() + sweepAfterMs)),
  ]);
  const rows = logouts.flatMap((logout) => logout.deliveries.map((delivery) => ({ logout, delivery })));
  const cell = <Value>(value: (row: (typeof rows)[number]) => Value): Value[] => rows.map(value);
  if (rows.length > 0) {
    await sql.query(DELIVERIES, [
      cell((r) => r.logout.id),
      cell((r) => r.delivery.n),
      cell((r) => r.delivery.graphId),
      cell((r) => r.logout.idpId),
      cell((r) => r.delivery.spId),
      cell((r) => r.delivery.sessionId),
      cell((r) => (r.delivery.alsoSessions.length > 0 ? `{${r.delivery.alsoSessions.join(',')}}` : null)),
      cell((r) => r.delivery.layer),
      cell((r) => r.delivery.tokenSid),
      cell((r) => r.delivery.tokenSub),
      cell((r) => r.delivery.channel),
      cell((r) => r.delivery.outcome),
      cell((r) => r.delivery.detail),
      cell((r) => r.logout.requestedAt),
      cell((r) => r.delivery.nextAttemptAt),
      cell((r) => r.logout.deadlineAt),
      cell((r) => r.delivery.sessionExpiresAt),
      cell((r) => (isOpen(r.delivery.outcome) ? null : r.logout.requestedAt)),
      cell((r) => (r.delivery.saml === null ? null : JSON.stringify(r.delivery.saml))),
    ]);
  }
  if (counts.some((count) => count.failed + count.proven > 0)) await sql.query(COUNT_FINAL, [of((l) => l.id)]);
  if (counts.some((count) => count.open === 0)) await sql.query(COUNT_COMPLETED, [of((l) => l.id)]);
}

/** How many of the planned deliveries have each grade from the start. */
export function countGrades(logout: PlannedLogout): Record<Grade, number> {
  const counts = { proven: 0, promised: 0, unproven: 0, partial: 0, failed: 0, open: 0 };
  for (const delivery of logout.deliveries) counts[gradeOf(delivery.outcome)]++;
  return counts;
}
