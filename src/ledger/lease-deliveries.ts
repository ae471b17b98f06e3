import type { Sql, Statement } from '#platform/database';
import type { LeasedDelivery } from './types.js';

// No row is locked before it is updated: of two that lease at once the second waits for the first, looks again and finds a lease.
const LEASE: Statement = {
  name: 'lease-deliveries',
  text: `WITH leased AS (
    UPDATE deliveries SET lease_until = $3, attempts = attempts + (outcome <> 'awaiting-browser')::int
    WHERE logout_id = ANY($1::uuid[]) AND outcome IN ('pending', 'retrying', 'awaiting-browser') AND next_attempt_at <= $2
      AND (lease_until IS NULL OR lease_until <= $2) AND sp_id <> ALL($4::text[])
    RETURNING *
  ), written AS (
    INSERT INTO attempts (logout_id, delivery_n, n, channel, started_at) SELECT logout_id, n, attempts, COALESCE(channel, 'none'), $2 FROM leased
    WHERE outcome <> 'awaiting-browser'
  )
  SELECT logout_id AS "logoutId", n, idp_id AS "idpId", sp_id AS "spId", session_id AS "sessionId", layer, token_sid AS "tokenSid",
    token_sub AS "tokenSub", saml, channel_index AS "channelIndex", outcome, attempts AS attempt, tries_on_channel + 1 AS "triesOnChannel",
    $2::timestamptz AS "startedAt", next_attempt_at AS "dueAt", requested_at AS "requestedAt", deadline_at AS "deadlineAt", session_expires_at AS "sessionExpiresAt",
    lease_until AS "leaseUntil"
  FROM leased`,
};

/**
 * Takes all due deliveries of these logouts that nobody else holds, and writes their attempts, in one statement that has committed
 * when this returns: the attempt is in the ledger before anything is sent. Those that have awaited a browser for too long are taken, too, without an attempt.
 * @param blocked SPs whose lane takes nothing now; their deliveries stay as they are.
 */
export async function leaseDeliveries(
  sql: Sql,
  logoutIds: readonly string[],
  now: Date,
  leaseUntil: Date,
  blocked: readonly string[],
): Promise<LeasedDelivery[]> {
  return sql.query<LeasedDelivery>(LEASE, [logoutIds, now, leaseUntil, blocked]);
}

/** A due delivery whose lane took nothing. */
export interface BlockedDelivery {
  logoutId: string;
  n: number;
  spId: string;
  requestedAt: Date;
  deadlineAt: Date;
  sessionExpiresAt: Date | null;
}

const BLOCKED: Statement = {
  name: 'find-blocked-deliveries',
  text: `SELECT logout_id AS "logoutId", n, sp_id AS "spId", requested_at AS "requestedAt", deadline_at AS "deadlineAt", session_expires_at AS "sessionExpiresAt"
  FROM deliveries WHERE logout_id = ANY($1::uuid[]) AND outcome IN ('pending', 'retrying') AND next_attempt_at <= $2
    AND (lease_until IS NULL OR lease_until <= $2) AND sp_id = ANY($3::text[])`,
};

export async function findBlockedDeliveries(
  sql: Sql,
  logoutIds: readonly string[],
  now: Date,
  blocked: readonly string[],
): Promise<BlockedDelivery[]> {
  return sql.query<BlockedDelivery>(BLOCKED, [logoutIds, now, blocked]);
}

const POSTPONE: Statement = {
  name: 'postpone-deliveries',
  text: `UPDATE deliveries d SET next_attempt_at = n.at, outcome = 'retrying', detail = n.detail
  FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::text[]) AS n(logout_id, n, at, detail)
  WHERE d.logout_id = n.logout_id AND d.n = n.n AND d.outcome IN ('pending', 'retrying') AND (d.lease_until IS NULL OR d.lease_until <= $5)`,
};

/** Moves deliveries to a later time without an attempt: their lane is full, or its breaker is open. */
export async function postponeDeliveries(
  sql: Sql,
  postponed: readonly { logoutId: string; n: number; at: Date; detail: string }[],
  now: Date,
): Promise<void> {
  if (postponed.length === 0) return;
  await sql.query(POSTPONE, [
    postponed.map((p) => p.logoutId),
    postponed.map((p) => p.n),
    postponed.map((p) => p.at),
    postponed.map((p) => p.detail),
    now,
  ]);
}

const OPEN_LAYER: Statement = {
  name: 'open-next-layer',
  text: `UPDATE deliveries d SET next_attempt_at = $2
  WHERE d.logout_id = ANY($1::uuid[]) AND d.layer = 'sp' AND d.outcome = 'pending' AND d.attempts = 0 AND d.next_attempt_at > $2
    AND NOT EXISTS (SELECT 1 FROM deliveries g WHERE g.logout_id = d.logout_id AND g.layer = 'gateway' AND g.outcome IN ('pending', 'retrying', 'awaiting-browser'))
  RETURNING d.logout_id AS "logoutId"`,
};

/** Lets the SPs of these logouts be told now where no gateway is open any more. @returns the logouts for which that is so. */
export async function openNextLayer(sql: Sql, logoutIds: readonly string[], now: Date): Promise<string[]> {
  const rows = await sql.query<{ logoutId: string }>(OPEN_LAYER, [logoutIds, now]);
  return [...new Set(rows.map((row) => row.logoutId))];
}

const WAKE: Statement = {
  name: 'wake-deliveries-of-sp',
  text: `WITH asleep AS (
    SELECT d.logout_id, d.n FROM logouts l JOIN deliveries d ON d.logout_id = l.id
    WHERE l.completed_at IS NULL AND d.sp_id = $1 AND d.outcome = 'retrying' AND d.next_attempt_at > $2 AND (d.lease_until IS NULL OR d.lease_until <= $2)
      AND ($4::text IS NULL OR d.detail = $4)
    LIMIT $3 FOR UPDATE OF d SKIP LOCKED)
  UPDATE deliveries d SET next_attempt_at = $2 FROM asleep a WHERE d.logout_id = a.logout_id AND d.n = a.n
  RETURNING d.logout_id AS "logoutId"`,
};

/**
 * Makes deliveries that wait for this SP due now.
 * @param detail only those that were postponed with these words; null: all.
 * @returns their logouts, at most `limit` deliveries at a time.
 */
export async function wakeDeliveriesOf(sql: Sql, spId: string, now: Date, limit: number, detail: string | null = null): Promise<string[]> {
  const rows = await sql.query<{ logoutId: string }>(WAKE, [spId, now, limit, detail]);
  return [...new Set(rows.map((row) => row.logoutId))];
}

const SWEEP: Statement = {
  name: 'sweep-logouts',
  text: `WITH due AS (
    SELECT id FROM logouts WHERE completed_at IS NULL AND sweep_at <= $1 ORDER BY sweep_at LIMIT $3 FOR UPDATE SKIP LOCKED
  )
  UPDATE logouts l SET sweep_at = GREATEST($2, next.at)
  FROM due LEFT JOIN LATERAL (
    SELECT min(GREATEST(d.next_attempt_at, d.lease_until)) AS at FROM deliveries d WHERE d.logout_id = due.id AND d.outcome IN ('pending', 'retrying', 'awaiting-browser')
  ) next ON true
  WHERE l.id = due.id
  RETURNING l.id, COALESCE(next.at <= $1, false) AS due`,
};

/**
 * Finds open logouts that the queue should have served and may have lost, and sets when to look at them again.
 * @returns those that have a due delivery which nobody holds.
 */
export async function sweepLogouts(sql: Sql, now: Date, lookAgainAt: Date, limit: number): Promise<{ seen: number; due: string[] }> {
  const rows = await sql.query<{ id: string; due: boolean }>(SWEEP, [now, lookAgainAt, limit]);
  return { seen: rows.length, due: rows.filter((row) => row.due).map((row) => row.id) };
}
