import type { PlannedDelivery } from '#ledger';
import { ladderOf } from '#registry';
import type { ServiceProvider } from '#registry';
import type { Session } from '#sessions';

/**
 * Who must be told of these ended sessions: one delivery a session at an SP; one a person at an SP that is told of persons only.
 * An SP that cannot be told has its row too, `skipped`, with the reason. Gateways come first; what lies below them waits for them, but only so long.
 */
export function planDeliveries(
  sessions: readonly Session[],
  sps: ReadonlyMap<string, ServiceProvider>,
  now: Date,
  layerWaitMs: number,
): PlannedDelivery[] {
  const planned: PlannedDelivery[] = [];
  const byPerson = new Map<string, PlannedDelivery>();
  for (const session of [...sessions].sort(topDown)) {
    if (session.spId === null) continue;
    const sp = sps.get(session.spId);
    const first = sp && ladderOf(sp)[0];
    const person =
      first?.type === 'oidc-backchannel' && first.tell === 'user' && session.tokenSub !== null
        ? JSON.stringify([session.spId, session.tokenSub])
        : null;
    const told = person === null ? undefined : byPerson.get(person);
    if (told) {
      told.alsoSessions.push(session.id);
      continue;
    }
    const delivery = planDelivery(planned.length + 1, session, session.spId, sp, now);
    planned.push(delivery);
    if (person !== null) byPerson.set(person, delivery);
  }
  if (planned.some((delivery) => delivery.layer === 'gateway' && delivery.outcome === 'pending')) {
    const below = new Date(now.getTime() + layerWaitMs);
    for (const delivery of planned) if (delivery.layer === 'sp' && delivery.outcome === 'pending') delivery.nextAttemptAt = below;
  }
  return planned;
}

const ORDER = { idp: 0, gateway: 1, sp: 2 } as const;

function topDown(a: Session, b: Session): number {
  return ORDER[a.layer] - ORDER[b.layer];
}

function planDelivery(n: number, session: Session, spId: string, sp: ServiceProvider | undefined, now: Date): PlannedDelivery {
  const skipped = whySkipped(sp);
  return {
    n,
    graphId: session.graphId,
    spId,
    sessionId: session.id,
    alsoSessions: [],
    layer: session.layer,
    tokenSid: session.tokenSid,
    tokenSub: session.tokenSub,
    saml: null,
    channel: (sp && ladderOf(sp)[0]?.type) ?? null,
    outcome: skipped === null ? 'pending' : 'skipped',
    detail: skipped,
    nextAttemptAt: skipped === null ? now : null,
    sessionExpiresAt: session.expiresAt,
  };
}

function whySkipped(sp: ServiceProvider | undefined): string | null {
  if (sp === undefined) return 'the service provider is not registered any more';
  if (!sp.enabled) return 'the service provider is disabled';
  if (sp.channels.length === 0) return 'the service provider has no channel';
  return null;
}
