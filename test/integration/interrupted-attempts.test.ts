import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { leaseDeliveries, settleDeliveries } from '#ledger';
import type { LeasedDelivery, Settlement } from '#ledger';
import { startCoordination } from '../support/coordination.js';
import type { Coordination } from '../support/coordination.js';

const LEASE_MS = 60_000;
let c: Coordination;

beforeAll(async () => {
  c = await startCoordination();
  await c.registerSp('rp');
});
afterAll(() => c.close());

async function lease(logoutId: string): Promise<LeasedDelivery> {
  const now = c.clock.now();
  const [leased] = await leaseDeliveries(c.database, [logoutId], now, new Date(now.getTime() + LEASE_MS), []);
  return leased!;
}

function failed(delivery: LeasedDelivery, more: { channelIndex?: number } = {}): Settlement {
  return {
    logoutId: delivery.logoutId,
    n: delivery.n,
    attempt: {
      n: delivery.attempt,
      channel: 'oidc-backchannel',
      startedAt: delivery.startedAt,
      durationMs: 1,
      result: 'failed',
      httpStatus: 500,
      jti: null,
      error: null,
    },
    next: { outcome: 'retrying', nextAttemptAt: c.clock.now(), detail: null, ...more },
  };
}

describe('an attempt that was interrupted', () => {
  it('has its number, but is no failure of the SP: the retry schedule and the ladder go by what the SP answered', async () => {
    await c.take({ type: 'session.started', handles: { sid: 's' } });
    await c.take({ type: 'session.joined', parent: { sid: 's' }, sp: 'rp' });
    const [ended] = await c.take({ type: 'session.ended', target: { sid: 's' } });
    const logoutId = ended!.logoutId!;

    // Five workers that die with it in their hands.
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect(await lease(logoutId)).toMatchObject({ attempt, triesOnChannel: 1 });
      c.clock.advance(LEASE_MS);
    }
    const sixth = await lease(logoutId);
    expect(sixth).toMatchObject({ attempt: 6, triesOnChannel: 1 });
    await settleDeliveries(c.database, [failed(sixth)], c.clock.now());

    const seventh = await lease(logoutId);
    expect(seventh).toMatchObject({ attempt: 7, triesOnChannel: 2 });
    await settleDeliveries(c.database, [failed(seventh, { channelIndex: 1 })], c.clock.now());
    expect(await lease(logoutId)).toMatchObject({ attempt: 8, triesOnChannel: 1, channelIndex: 1 });
  });

  it('is settled once, though its result is written twice because the answer of the database was lost', async () => {
    await c.take({ type: 'session.started', handles: { sid: 'twice' } });
    await c.take({ type: 'session.joined', parent: { sid: 'twice' }, sp: 'rp' });
    const [ended] = await c.take({ type: 'session.ended', target: { sid: 'twice' } });
    const first = await lease(ended!.logoutId!);
    const settlement = failed(first);
    expect((await settleDeliveries(c.database, [settlement], c.clock.now())).settled).toMatchObject([{ applied: true }]);
    expect((await settleDeliveries(c.database, [settlement], c.clock.now())).settled).toMatchObject([{ applied: false }]);
    expect(await lease(ended!.logoutId!)).toMatchObject({ attempt: 2, triesOnChannel: 2 });
  });
});
