import type { Outcome } from '#domain';
import type { Sql, Statement } from '#platform/database';
import type { LeasedDelivery } from './types.js';

const LEASED = `d.logout_id AS "logoutId", d.n, d.idp_id AS "idpId", d.sp_id AS "spId", d.session_id AS "sessionId", d.layer, d.token_sid AS "tokenSid",
    d.token_sub AS "tokenSub", d.saml, d.channel_index AS "channelIndex", d.outcome, d.next_attempt_at AS "dueAt", d.requested_at AS "requestedAt", d.deadline_at AS "deadlineAt",
    d.session_expires_at AS "sessionExpiresAt"`;

const LEASE: Statement = {
  name: 'lease-browser-delivery',
  text: `WITH d AS (
    UPDATE deliveries SET lease_until = $4, attempts = attempts + 1
    WHERE logout_id = $1 AND n = $2 AND outcome = 'awaiting-browser' AND (lease_until IS NULL OR lease_until <= $3)
    RETURNING *
  ), written AS (
    INSERT INTO attempts (logout_id, delivery_n, n, channel, started_at) SELECT logout_id, n, attempts, channel, $3 FROM d
  )
  SELECT ${LEASED}, d.attempts AS attempt, d.tries_on_channel + 1 AS "triesOnChannel", $3::timestamptz AS "startedAt", d.lease_until AS "leaseUntil" FROM d`,
};

/**
 * Takes a delivery that awaits a browser, now that one is there, and writes its attempt: both have committed when this returns.
 * @param leaseUntil until when the browser may be at the SP.
 * @returns null when it does not await a browser any more, or one is with it.
 */
export async function leaseBrowserDelivery(
  sql: Sql,
  logoutId: string,
  n: number,
  now: Date,
  leaseUntil: Date,
): Promise<LeasedDelivery | null> {
  return (await sql.query<LeasedDelivery>(LEASE, [logoutId, n, now, leaseUntil]))[0] ?? null;
}

/** A LogoutRequest that went out with a browser. */
export interface BrowserRequest {
  /** ID of the message. */
  id: string;
  delivery: LeasedDelivery;
  flowId: string;
  forgetAt: Date;
}

const RECORD: Statement = {
  name: 'record-browser-request',
  text: `INSERT INTO saml_requests (id, idp_id, sp_id, logout_id, delivery_n, attempt, started_at, flow_id, forget_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
};

/** Written before the browser gets the message: an answer to a message that is not written here is not believed. @see SLO-13 */
export async function recordBrowserRequest(sql: Sql, { id, delivery, flowId, forgetAt }: BrowserRequest): Promise<void> {
  const { idpId, spId, logoutId, n, attempt, startedAt } = delivery;
  await sql.query(RECORD, [id, idpId, spId, logoutId, n, attempt, startedAt, flowId, forgetAt]);
}

const TAKE: Statement = {
  name: 'take-browser-request',
  text: `UPDATE saml_requests SET answered_at = $4 WHERE id = $1 AND idp_id = $2 AND sp_id = $3 AND answered_at IS NULL AND forget_at > $4
    RETURNING logout_id AS "logoutId", delivery_n AS n, attempt, started_at AS "startedAt"`,
};

/** Where an answered message belongs. */
export interface AnsweredRequest {
  logoutId: string;
  n: number;
  attempt: number;
  startedAt: Date;
}

/** Takes the one answer that a message may have, from the SP that it was sent to. @returns null for any other. @see SLO-13, SLOX-14 */
export async function takeBrowserRequest(sql: Sql, id: string, idpId: string, spId: string, now: Date): Promise<AnsweredRequest | null> {
  return (await sql.query<AnsweredRequest>(TAKE, [id, idpId, spId, now]))[0] ?? null;
}

const ATTEMPTED: Statement = {
  name: 'read-attempted-delivery',
  text: `SELECT ${LEASED}, $3::int AS attempt, d.tries_on_channel + 1 AS "triesOnChannel", $4::timestamptz AS "startedAt", d.lease_until AS "leaseUntil"
    FROM deliveries d WHERE d.logout_id = $1 AND d.n = $2`,
};

/** The delivery as that attempt of it sees it. */
export async function readAttemptedDelivery(sql: Sql, request: AnsweredRequest): Promise<LeasedDelivery | null> {
  return (await sql.query<LeasedDelivery>(ATTEMPTED, [request.logoutId, request.n, request.attempt, request.startedAt]))[0] ?? null;
}

const LOST: Statement = {
  name: 'find-lost-browser-legs',
  text: `SELECT ${LEASED}, d.attempts AS attempt, d.tries_on_channel + 1 AS "triesOnChannel", r.started_at AS "startedAt", d.lease_until AS "leaseUntil", r.id AS "messageId"
    FROM deliveries d JOIN saml_requests r ON r.logout_id = d.logout_id AND r.delivery_n = d.n AND r.attempt = d.attempts AND r.flow_id = $2
    WHERE d.logout_id = $1 AND d.outcome = 'awaiting-browser' AND d.lease_until <= $3 AND r.answered_at IS NULL`,
};

/** Attempts of this flow from which the browser has not come back in time. */
export async function findLostLegs(
  sql: Sql,
  logoutId: string,
  flowId: string,
  now: Date,
): Promise<(LeasedDelivery & { messageId: string })[]> {
  return sql.query<LeasedDelivery & { messageId: string }>(LOST, [logoutId, flowId, now]);
}

const SENT: Statement = {
  name: 'find-unanswered-browser-request',
  text: `SELECT id AS "messageId", started_at AS "startedAt" FROM saml_requests
    WHERE flow_id IN (SELECT id FROM browser_flows WHERE logout_id = $1) AND delivery_n = $2 AND logout_id = $1 AND attempt = $3 AND answered_at IS NULL`,
};

/** The message of the newest attempt of a delivery, where a browser was sent with it and nobody has written how that ended: it went away, and its page with it. */
export async function findUnansweredRequest(
  sql: Sql,
  { logoutId, n, attempt }: Pick<LeasedDelivery, 'logoutId' | 'n' | 'attempt'>,
): Promise<{ messageId: string; startedAt: Date } | null> {
  return (await sql.query<{ messageId: string; startedAt: Date }>(SENT, [logoutId, n, attempt]))[0] ?? null;
}

/** A delivery as a person may see it, and whether the browser of this flow is to be sent to its SP. */
export interface FlowDelivery {
  n: number;
  spId: string;
  spName: string | null;
  outcome: Outcome;
  channel: string | null;
  /** It awaits a browser, none is with it, and this flow has not tried its channel yet. */
  isDue: boolean;
  /** The browser is with it. */
  isUnderWay: boolean;
}

const OF_FLOW: Statement = {
  name: 'read-deliveries-of-flow',
  text: `SELECT d.n, d.sp_id AS "spId", p.name AS "spName", d.outcome, d.channel,
      d.outcome = 'awaiting-browser' AND (d.lease_until IS NULL OR d.lease_until <= $3) AND (d.tries_on_channel = 0 OR tried.n IS NULL) AS "isDue",
      d.outcome = 'awaiting-browser' AND d.lease_until > $3 AS "isUnderWay"
    FROM deliveries d
    LEFT JOIN service_providers p ON p.id = d.sp_id
    LEFT JOIN LATERAL (SELECT r.delivery_n AS n FROM saml_requests r WHERE r.flow_id = $2 AND r.logout_id = d.logout_id AND r.delivery_n = d.n LIMIT 1) tried ON true
    WHERE d.logout_id = $1 ORDER BY d.n`,
};

export async function readFlowDeliveries(sql: Sql, logoutId: string, flowId: string, now: Date): Promise<FlowDelivery[]> {
  return sql.query<FlowDelivery>(OF_FLOW, [logoutId, flowId, now]);
}
