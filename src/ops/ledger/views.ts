import { z } from 'zod';
import { CAUSES, INITIATORS, LAYERS, LOGOUT_SCOPES, OUTCOMES, VERDICTS } from '#domain';
import type { AttemptRecord, DeliveryRecord, LogoutRecord } from '#ledger';
import type { Session, SessionGraph } from '#sessions';

const instant = z.string().describe('RFC 3339');

export const attemptView = z.object({
  n: z.int(),
  channel: z.string(),
  startedAt: instant,
  durationMs: z.int().optional(),
  result: z.string().optional().describe('Missing while it is under way, or when we died before it ended'),
  httpStatus: z.int().optional(),
  jti: z.string().optional(),
  error: z.string().optional(),
});

export const deliveryView = z.object({
  id: z.string(),
  sp: z.string(),
  sessionId: z.string(),
  alsoSessionIds: z.array(z.string()).optional().describe('Further sessions that the same message ends'),
  layer: z.enum(LAYERS),
  channel: z.string().optional(),
  outcome: z.enum(OUTCOMES),
  detail: z.string().optional(),
  exposureSeconds: z
    .number()
    .optional()
    .describe('How long the session stayed alive after the logout was asked for; known when that is proven'),
  nextAttemptAt: instant.optional(),
  awaitsBrowserUntil: instant.optional().describe('While it is awaiting-browser; then it goes on without one, or is skipped'),
  attempts: z.array(attemptView),
});

export const logoutSummary = z.object({
  id: z.string(),
  idp: z.string(),
  cause: z.enum(CAUSES),
  initiator: z.enum(INITIATORS),
  scope: z.enum(LOGOUT_SCOPES),
  reason: z.string().optional(),
  target: z.unknown(),
  follows: z.string().optional().describe('The logout whose ended graph this one cleans up after'),
  requestedAt: instant,
  deadlineAt: instant,
  completedAt: instant.optional(),
  verdict: z.enum(VERDICTS),
  sessions: z.int().describe('How many sessions it ended'),
});

export const logoutView = logoutSummary.extend({
  counts: z.record(z.string(), z.int()).describe('Deliveries: their `total`, and how many have each outcome'),
  deliveries: z.array(deliveryView),
});

export const sessionView = z.object({
  id: z.string(),
  idp: z.string(),
  sp: z.string().optional(),
  layer: z.enum(LAYERS),
  state: z.enum(['live', 'ended']),
  handles: z.object({
    sid: z.string().optional(),
    sub: z.string().optional(),
    email: z.string().optional(),
    nameId: z.unknown().optional(),
    sessionIndex: z.string().optional(),
  }),
  startedAt: instant,
  touchedAt: instant,
  expiresAt: instant.optional(),
  idleTimeoutSeconds: z.int().optional(),
  endedAt: instant.optional(),
  endedBy: z.string().optional().describe('The logout that ended it'),
});

export const sessionGraphView = sessionView.extend({
  graph: z.object({
    sessions: z.array(sessionView),
    edges: z.array(z.object({ parent: z.string(), child: z.string() })).describe('The child ends with the parent'),
  }),
});

type Wire<Schema extends z.ZodType> = z.input<Schema>;

/** Leaves out what is unknown. */
function known<Value extends object>(value: { [Key in keyof Value]: Value[Key] | null | undefined }): Value {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && one !== undefined)) as Value;
}

export function showLogout(logout: LogoutRecord): Wire<typeof logoutSummary> {
  return known({
    id: logout.id,
    idp: logout.idpId,
    cause: logout.cause,
    initiator: logout.initiator,
    scope: logout.scope,
    reason: logout.reason,
    target: logout.target,
    follows: logout.follows,
    requestedAt: logout.requestedAt.toISOString(),
    deadlineAt: logout.deadlineAt.toISOString(),
    completedAt: logout.completedAt?.toISOString(),
    verdict: logout.verdict,
    sessions: logout.sessions,
  });
}

export function showLogoutWithDeliveries(
  logout: LogoutRecord,
  deliveries: readonly (DeliveryRecord & { attempts: AttemptRecord[] })[],
): Wire<typeof logoutView> {
  const counts: Record<string, number> = { total: deliveries.length };
  for (const { outcome } of deliveries) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return { ...showLogout(logout), counts, deliveries: deliveries.map((delivery) => showDelivery(logout.id, delivery)) };
}

function showDelivery(logoutId: string, delivery: DeliveryRecord & { attempts: AttemptRecord[] }): Wire<typeof deliveryView> {
  const awaitsBrowser = delivery.outcome === 'awaiting-browser';
  return known({
    id: `${logoutId}.${delivery.n}`,
    sp: delivery.spId,
    sessionId: delivery.sessionId,
    alsoSessionIds: delivery.alsoSessions,
    layer: delivery.layer,
    channel: delivery.channel,
    outcome: delivery.outcome,
    detail: delivery.detail,
    exposureSeconds: delivery.exposureMs === null ? null : delivery.exposureMs / 1_000,
    nextAttemptAt: awaitsBrowser ? null : delivery.nextAttemptAt?.toISOString(),
    awaitsBrowserUntil: awaitsBrowser ? delivery.nextAttemptAt?.toISOString() : null,
    attempts: delivery.attempts.map(showAttempt),
  });
}

function showAttempt(attempt: AttemptRecord): Wire<typeof attemptView> {
  return known({ ...attempt, startedAt: attempt.startedAt.toISOString() });
}

export function showSession(session: Session): Wire<typeof sessionView> {
  return known({
    id: session.id,
    idp: session.idpId,
    sp: session.spId,
    layer: session.layer,
    state: session.state,
    handles: known({
      sid: session.sid,
      sub: session.sub,
      email: session.email,
      nameId: session.nameId,
      sessionIndex: session.sessionIndex,
    }),
    startedAt: session.startedAt.toISOString(),
    touchedAt: session.touchedAt.toISOString(),
    expiresAt: session.expiresAt?.toISOString(),
    idleTimeoutSeconds: session.idleTimeoutSeconds,
    endedAt: session.endedAt?.toISOString(),
    endedBy: session.endedBy,
  });
}

export function showSessionWithGraph(session: Session, graph: SessionGraph): Wire<typeof sessionGraphView> {
  const edges = graph.edges.map(({ parentId, childId }) => ({ parent: parentId, child: childId }));
  return { ...showSession(session), graph: { sessions: graph.sessions.map(showSession), edges } };
}
