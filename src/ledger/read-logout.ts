import type { Sql } from '#platform/database';
import type { AttemptRecord, DeliveryRecord, LogoutRecord } from './types.js';

export const LOGOUT_COLUMNS = `l.id, l.idp_id AS "idpId", l.cause, l.initiator, l.scope, l.reason, l.target, l.follows, l.requested_at AS "requestedAt",
  l.deadline_at AS "deadlineAt", l.completed_at AS "completedAt", l.verdict, l.sessions, l.deliveries, l.open`;

export async function readLogout(sql: Sql, id: string): Promise<LogoutRecord | null> {
  const rows = await sql.query<LogoutRecord>({ name: 'read-logout', text: `SELECT ${LOGOUT_COLUMNS} FROM logouts l WHERE l.id = $1` }, [
    id,
  ]);
  return rows[0] ?? null;
}

/** The deliveries of one logout with all their attempts, in order. */
export async function readDeliveries(sql: Sql, logout: LogoutRecord): Promise<(DeliveryRecord & { attempts: AttemptRecord[] })[]> {
  const deliveries = await sql.query<DeliveryRecord>(
    `SELECT n, sp_id AS "spId", session_id AS "sessionId", also_sessions AS "alsoSessions", layer, channel, outcome, detail,
       exposure_ms::float8 AS "exposureMs", next_attempt_at AS "nextAttemptAt", settled_at AS "settledAt"
     FROM deliveries WHERE logout_id = $1 ORDER BY n`,
    [logout.id],
  );
  const attempts = await sql.query<AttemptRecord & { deliveryN: number }>(
    `SELECT delivery_n AS "deliveryN", n, channel, started_at AS "startedAt", duration_ms AS "durationMs", result, http_status AS "httpStatus", jti, error
     FROM attempts WHERE logout_id = $1 AND started_at >= $2 ORDER BY delivery_n, n`,
    [logout.id, logout.requestedAt],
  );
  const byDelivery = new Map<number, AttemptRecord[]>(deliveries.map((delivery) => [delivery.n, []]));
  for (const { deliveryN, ...attempt } of attempts) byDelivery.get(deliveryN)?.push(attempt);
  return deliveries.map((delivery) => ({ ...delivery, attempts: byDelivery.get(delivery.n)! }));
}
