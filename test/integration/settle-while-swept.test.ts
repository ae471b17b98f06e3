import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { leaseDeliveries, settleDeliveries, sweepLogouts } from '#ledger';
import type { LeasedDelivery, Settlement } from '#ledger';
import { startCoordination } from '../support/coordination.js';
import type { Coordination } from '../support/coordination.js';

const SPS = Array.from({ length: 20 }, (_, n) => `rp${n}`);
const LOGOUTS = 480;

let c: Coordination;
const logoutIds: string[] = [];

beforeAll(async () => {
  c = await startCoordination();
  for (const sp of SPS) await c.registerSp(sp);
  for (let user = 0; user < LOGOUTS; user++) {
    const sid = `s${user}`;
    await c.take(
      { type: 'session.started', handles: { sid } },
      ...SPS.map((sp) => ({ type: 'session.joined' as const, parent: { sid }, sp })),
      { type: 'session.ended', target: { sid } },
    );
  }
  const logouts = await c.database.query<{ id: string }>('SELECT id FROM logouts ORDER BY id');
  logoutIds.push(...logouts.map(({ id }) => id));
}, 120_000);
afterAll(() => c.close());

function confirmed({ logoutId, n, attempt, startedAt }: LeasedDelivery): Settlement {
  return {
    logoutId,
    n,
    attempt: {
      n: attempt,
      channel: 'oidc-backchannel',
      startedAt,
      durationMs: 1,
      result: 'confirmed',
      httpStatus: 200,
      jti: `${logoutId} ${n}`,
      error: null,
    },
    next: { outcome: 'confirmed', settledAt: c.clock.now(), detail: null },
  };
}

/** Some deliveries of some logouts a settlement, as they come in. */
async function serve(some: readonly string[]): Promise<void> {
  const now = c.clock.now();
  const leased = await leaseDeliveries(c.database, some, now, new Date(now.getTime() + 60_000), []);
  for (let first = 0; first < 12; first++) {
    const batch = leased.filter((_, at) => at % 12 === first).map(confirmed);
    await c.database.transaction((sql) => settleDeliveries(sql, batch, now));
  }
}

describe('settlements while the sweeper runs', () => {
  it('write everything all the same: the results of the attempts, the outcomes, the counters', async () => {
    const now = c.clock.now();
    let over = false;
    const sweeping = (async () => {
      while (!over) await sweepLogouts(c.database, new Date(now.getTime() + 86_400_000), now, 50);
    })();
    const jobs: Promise<void>[] = [];
    for (let at = 0; at < LOGOUTS; at += 5) jobs.push(serve(logoutIds.slice(at, at + 5)));
    await Promise.all(jobs).finally(() => (over = true));
    await sweeping;
    const deliveries = LOGOUTS * SPS.length;
    const [written] = await c.database.query(
      `SELECT (SELECT count(*)::int FROM attempts WHERE result = 'confirmed') AS attempts, (SELECT count(*)::int FROM deliveries WHERE outcome = 'confirmed') AS deliveries,
         (SELECT count(*)::int FROM logouts WHERE verdict = 'complete' AND open = 0) AS logouts,
         (SELECT sum(n)::int FROM report_delivery_deltas) AS "deliveriesCounted", (SELECT sum(n)::int FROM report_logout_deltas) AS "logoutsCounted"`,
    );
    expect(written).toEqual({ attempts: deliveries, deliveries, logouts: LOGOUTS, deliveriesCounted: deliveries, logoutsCounted: LOGOUTS });
  });
});
