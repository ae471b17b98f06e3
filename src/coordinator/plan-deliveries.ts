import { nameIdKey } from '#domain';
import type { Cause, SamlSubject } from '#domain';
import type { PlannedDelivery } from '#ledger';
import { isSamlOnly, ladderOf, needsBrowser } from '#registry';
import type { LadderStep, ServiceProvider } from '#registry';
import { isNamedBy } from '#sessions';
import type { Session, Target } from '#sessions';

export interface PlanSettings {
  /** So long what lies below gateways waits for them. Milliseconds. */
  layerWaitMs: number;
  /** So long a delivery waits for a browser. Milliseconds. */
  browserWaitMs: number;
}

/**
 * Who must be told of these ended sessions: one delivery a session at an SP; one a person at an SP that is told of persons only, or that can be told of
 * several sessions of a person with one message. An SP that cannot be told has its row too, `skipped`, with the reason; and so has the SP that asked.
 * Gateways come first; what lies below them waits for them, but only so long.
 * @param asked what was asked for; where it names an SP, that SP asked for its own sessions to end.
 */
export function planDeliveries(
  sessions: readonly Session[],
  sps: ReadonlyMap<string, ServiceProvider>,
  asked: { target: Target; cause: Cause },
  now: Date,
  settings: PlanSettings,
): PlannedDelivery[] {
  const planned: PlannedDelivery[] = [];
  const byPerson = new Map<string, PlannedDelivery>();
  for (const session of [...sessions].sort(topDown)) {
    if (session.spId === null) continue;
    const sp = sps.get(session.spId);
    const ladder = sp ? ladderOf(sp) : [];
    const knowsIt = asked.target.spId !== undefined && isNamedBy(session, asked.target);
    const person = knowsIt ? null : personOf(session, ladder);
    const told = person === null ? undefined : byPerson.get(person);
    if (told) {
      told.alsoSessions.push(session.id);
      if (session.sessionIndex !== null) told.saml?.sessionIndexes.push(session.sessionIndex);
      continue;
    }
    const delivery = {
      n: planned.length + 1,
      ...about(session, session.spId, ladder, asked.cause),
      ...(knowsIt ? ASKED_ITSELF : firstStep(sp, ladder, session, now, settings)),
    };
    planned.push(delivery);
    if (person !== null) byPerson.set(person, delivery);
  }
  if (planned.some((delivery) => delivery.layer === 'gateway' && delivery.outcome === 'pending')) {
    const below = new Date(now.getTime() + settings.layerWaitMs);
    for (const delivery of planned) if (delivery.layer === 'sp' && delivery.outcome === 'pending') delivery.nextAttemptAt = below;
  }
  return planned;
}

const ORDER = { idp: 0, gateway: 1, sp: 2 } as const;

function topDown(a: Session, b: Session): number {
  return ORDER[a.layer] - ORDER[b.layer];
}

/** What sessions that one message ends have in common; null: the session has a message of its own. */
function personOf(session: Session, ladder: readonly LadderStep[]): string | null {
  const [first] = ladder;
  if (first?.type === 'oidc-backchannel' && first.tell === 'user' && session.tokenSub !== null) {
    return JSON.stringify([session.spId, session.tokenSub]);
  }
  // A LogoutRequest names any number of SessionIndexes. @see SLO-8
  if (isSamlOnly(ladder) && session.nameId !== null && session.sessionIndex !== null) {
    return JSON.stringify([session.spId, nameIdKey(session.nameId)]);
  }
  return null;
}

/** The part of a delivery that says what the SP must be told. */
function about(session: Session, spId: string, ladder: readonly LadderStep[], cause: Cause) {
  return {
    graphId: session.graphId,
    spId,
    sessionId: session.id,
    alsoSessions: [],
    layer: session.layer,
    tokenSid: session.tokenSid,
    tokenSub: session.tokenSub,
    saml: ladder.some((step) => step.type !== 'oidc-backchannel') ? samlSubjectOf(session, cause) : null,
    sessionExpiresAt: session.expiresAt,
  };
}

function samlSubjectOf(session: Session, cause: Cause): SamlSubject | null {
  if (session.nameId === null) return null;
  return { nameId: session.nameId, sessionIndexes: session.sessionIndex === null ? [] : [session.sessionIndex], cause };
}

type Beginning = Pick<PlannedDelivery, 'channel' | 'outcome' | 'detail' | 'nextAttemptAt'>;

/** A request is never sent back to the one who made it. @see SLO-25 */
const ASKED_ITSELF: Beginning = Object.freeze({
  channel: null,
  outcome: 'confirmed',
  detail: 'it asked for this logout itself',
  nextAttemptAt: null,
});

function firstStep(
  sp: ServiceProvider | undefined,
  ladder: readonly LadderStep[],
  session: Session,
  now: Date,
  settings: PlanSettings,
): Beginning {
  const [first] = ladder;
  const channel = first?.type ?? null;
  const skipped = whySkipped(sp, first) ?? whyUnnamed(ladder, session);
  if (first === undefined || skipped !== null) return { channel, outcome: 'skipped', detail: skipped, nextAttemptAt: null };
  if (!needsBrowser(first)) return { channel, outcome: 'pending', detail: null, nextAttemptAt: now };
  const waits = new Date(Math.min(now.getTime() + settings.browserWaitMs, session.expiresAt?.getTime() ?? Infinity));
  return { channel, outcome: 'awaiting-browser', detail: null, nextAttemptAt: waits };
}

function whySkipped(sp: ServiceProvider | undefined, first: LadderStep | undefined): string | null {
  if (sp === undefined) return 'the service provider is not registered any more';
  if (!sp.enabled) return 'the service provider is disabled';
  if (first === undefined) return 'the service provider has no channel';
  return null;
}

/** @see SLO-7 */
function whyUnnamed(ladder: readonly LadderStep[], session: Session): string | null {
  if (session.nameId !== null || !isSamlOnly(ladder)) return null;
  return 'a LogoutRequest needs a NameID, and the session has none: send handles.nameId with session.started or session.joined';
}
