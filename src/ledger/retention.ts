import type { Database } from '#platform/database';
import { dropAttemptPartitions } from './partitions.js';

export interface RetentionPeriods {
  attemptsDays: number;
  ledgerDays: number;
  endedSessionsDays: number;
  eventIdsDays: number;
}

/** How many rows were forgotten, by kind. */
export interface Forgotten {
  partitions: string[];
  partitionsKept: string[];
  logouts: number;
  sessions: number;
  eventIds: number;
  /** What says itself when it is of no use any more: ids of messages, requests that await an answer, logouts that await a login, browsers' ways. */
  passing: number;
}

const DAY_MS = 86_400_000;
const BATCH = 1_000;
/** Tables whose rows say in `forget_at` when they may go. */
const PASSING = ['seen_tokens', 'seen_messages', 'saml_requests', 'saml_tombstones', 'browser_flows'] as const;

/**
 * Forgets what is older than the periods say: in small batches, so that nobody waits for it. A logout that is not complete is never forgotten,
 * nor its attempts, nor the sessions it ended: they are still needed to tell the SPs.
 */
export async function forgetOld(database: Database, periods: RetentionPeriods, now: Date): Promise<Forgotten> {
  const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
  const { dropped, kept } = await dropAttemptPartitions(database, daysAgo(periods.attemptsDays));
  const strayAttempts = `DELETE FROM attempts_default WHERE ctid IN (
    SELECT a.ctid FROM attempts_default a JOIN logouts l ON l.id = a.logout_id WHERE a.started_at < $1 AND l.completed_at IS NOT NULL LIMIT ${BATCH}) RETURNING 1`;
  await inBatches(database, strayAttempts, [daysAgo(periods.attemptsDays)]);
  const logouts = await inBatches(
    database,
    `WITH old AS (SELECT id FROM logouts WHERE requested_at < $1 AND completed_at IS NOT NULL ORDER BY requested_at LIMIT ${BATCH}),
       attempts_gone AS (DELETE FROM attempts a USING old WHERE a.logout_id = old.id),
       deliveries_gone AS (DELETE FROM deliveries d USING old WHERE d.logout_id = old.id)
     DELETE FROM logouts l USING old WHERE l.id = old.id RETURNING 1`,
    [daysAgo(periods.ledgerDays)],
  );
  const sessions = await inBatches(
    database,
    `WITH old AS (
       SELECT s.graph_id, s.id FROM sessions s LEFT JOIN logouts l ON l.id = s.ended_by
       WHERE s.state = 'ended' AND s.ended_at < $1 AND (l.id IS NULL OR l.completed_at IS NOT NULL) LIMIT ${BATCH}),
       down AS (DELETE FROM session_edges e USING old WHERE e.graph_id = old.graph_id AND e.parent_id = old.id),
       up AS (DELETE FROM session_edges e USING old WHERE e.child_id = old.id AND NOT (e.graph_id = old.graph_id AND e.parent_id IN (SELECT id FROM old)))
     DELETE FROM sessions s USING old WHERE s.graph_id = old.graph_id AND s.id = old.id RETURNING 1`,
    [daysAgo(periods.endedSessionsDays)],
  );
  const eventIds = await inBatches(
    database,
    `DELETE FROM intake_events WHERE ctid IN (SELECT ctid FROM intake_events WHERE received_at < $1 LIMIT ${BATCH}) RETURNING 1`,
    [daysAgo(periods.eventIdsDays)],
  );
  let passing = 0;
  for (const table of PASSING) {
    passing += await inBatches(
      database,
      `DELETE FROM ${table} WHERE ctid IN (SELECT ctid FROM ${table} WHERE forget_at < $1 LIMIT ${BATCH}) RETURNING 1`,
      [now],
    );
  }
  return { partitions: dropped, partitionsKept: kept, logouts, sessions, eventIds, passing };
}

async function inBatches(database: Database, text: string, params: readonly unknown[]): Promise<number> {
  for (let total = 0; ;) {
    const rows = await database.query(text, params);
    total += rows.length;
    if (rows.length < BATCH) return total;
  }
}
