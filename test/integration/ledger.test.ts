import fc from 'fast-check';
import { FINAL_OUTCOMES, gradeOf, newId, verdictOf, VERDICTS } from '#domain';
import type { FinalOutcome, Grade } from '#domain';
import {
  bucketLimitMs,
  dropAttemptPartitions,
  ensureAttemptPartitions,
  forgetOld,
  leaseDeliveries,
  readDeliveries,
  readLogout,
  recordLogouts,
  reopenDeliveries,
  settleDeliveries,
  VERDICT,
} from '#ledger';
import type { LeasedDelivery, PlannedLogout, Settlement } from '#ledger';
import { foldDeltas, readCompletionReport } from '#reports';
import { startCoordination } from '../support/coordination.js';
import type { Coordination } from '../support/coordination.js';

let c: Coordination;
beforeAll(async () => {
  c = await startCoordination();
});
afterAll(() => c.close());

const DAY_MS = 86_400_000;

function planned(sps: readonly string[], more: Partial<PlannedLogout> = {}, outcome: 'pending' | 'skipped' = 'pending'): PlannedLogout {
  const id = newId();
  const requestedAt = more.requestedAt ?? c.clock.now();
  return {
    id,
    graphId: id,
    idpId: 'idp',
    cause: 'user',
    initiator: 'user',
    scope: 'session',
    reason: null,
    target: { sid: id },
    follows: null,
    requestedAt,
    deadlineAt: new Date(requestedAt.getTime() + DAY_MS),
    sessions: sps.length,
    deliveries: sps.map((spId, at) => ({
      n: at + 1,
      graphId: id,
      spId,
      sessionId: newId(),
      alsoSessions: [],
      layer: 'sp',
      tokenSid: id,
      tokenSub: null,
      saml: null,
      channel: 'oidc-backchannel',
      outcome,
      detail: null,
      nextAttemptAt: outcome === 'pending' ? requestedAt : null,
      sessionExpiresAt: null,
    })),
    ...more,
  };
}
const record = (...logouts: PlannedLogout[]): Promise<void> => c.database.transaction((sql) => recordLogouts(sql, logouts, 15_000));
const lease = (logout: PlannedLogout, now = c.clock.now()): Promise<LeasedDelivery[]> =>
  leaseDeliveries(c.database, [logout.id], now, new Date(now.getTime() + 60_000), []);
function settlement(delivery: LeasedDelivery, outcome: FinalOutcome | 'retrying', after = 10): Settlement {
  const settledAt = new Date(delivery.requestedAt.getTime() + after);
  return {
    logoutId: delivery.logoutId,
    n: delivery.n,
    attempt: {
      n: delivery.attempt,
      channel: 'oidc-backchannel',
      startedAt: delivery.startedAt,
      durationMs: after,
      result: outcome,
      httpStatus: 200,
      jti: newId(),
      error: null,
    },
    next: outcome === 'retrying' ? { outcome, nextAttemptAt: settledAt, detail: null } : { outcome, settledAt, detail: null },
  };
}
const settle = (...settlements: Settlement[]) => settleDeliveries(c.database, settlements, c.clock.now());

describe('the ledger', () => {
  it('gives the same verdict in SQL as in words, for every combination of grades', async () => {
    const combinations: Record<Grade, number>[] = [];
    for (let bits = 0; bits < 32; bits++) {
      const [proven, promised, unproven, partial, failed] = [0, 1, 2, 3, 4].map((bit) => (bits >> bit) & 1);
      combinations.push({ proven: proven!, promised: promised!, unproven: unproven!, partial: partial!, failed: failed!, open: 0 });
    }
    for (const s of combinations) {
      const [row] = await c.database.query<{ verdict: string }>(
        `SELECT ${VERDICT('s')} AS verdict FROM (SELECT $1::int AS proven, $2::int AS promised, $3::int AS unproven, $4::int AS partial, $5::int AS failed) s`,
        [s.proven, s.promised, s.unproven, s.partial, s.failed],
      );
      expect({ ...s, verdict: row!.verdict }).toEqual({ ...s, verdict: verdictOf(s) });
    }
  });

  it('has an attempt in it, durable, before anything can be sent; two workers never hold the same delivery', async () => {
    const logout = planned(['a', 'b', 'c']);
    await record(logout);
    const leases = await Promise.all(Array.from({ length: 5 }, () => lease(logout)));
    expect(
      leases
        .flat()
        .map((delivery) => delivery.n)
        .sort(),
    ).toEqual([1, 2, 3]);
    const deliveries = await readDeliveries(c.database, (await readLogout(c.database, logout.id))!);
    expect(deliveries.map((delivery) => delivery.attempts)).toEqual(Array(3).fill([expect.objectContaining({ n: 1, result: null })]));
  });

  it('completes a logout exactly once, also when its last deliveries settle at the same time in different statements', async () => {
    const logouts = Array.from({ length: 20 }, () => planned(['a', 'b']));
    await record(...logouts);
    for (const logout of logouts) {
      const [one, two] = await lease(logout);
      const results = await Promise.all([settle(settlement(one!, 'confirmed')), settle(settlement(two!, 'confirmed'))]);
      expect(results.flatMap((result) => result.completed.map((done) => done.logoutId))).toEqual([logout.id]);
      expect(await readLogout(c.database, logout.id)).toMatchObject({ verdict: 'complete', open: 0, completedAt: expect.any(Date) });
    }
  });

  it('an attempt whose lease ran out cannot undo a later one, but its proof counts', async () => {
    const [stale, proof] = [planned(['a']), planned(['a'])];
    await record(stale, proof);
    for (const [logout, outcome, applied] of [
      [stale, 'unreachable', false],
      [proof, 'confirmed', true],
    ] as const) {
      const [first] = await lease(logout);
      const [second] = await lease(logout, new Date(c.clock.now().getTime() + 61_000));
      expect(second!.attempt).toBe(2);
      expect((await settle(settlement(first!, outcome))).settled).toEqual([{ logoutId: logout.id, n: 1, applied }]);
      // The result of the attempt itself is kept either way.
      const [delivery] = await readDeliveries(c.database, (await readLogout(c.database, logout.id))!);
      expect(delivery!.attempts[0]).toMatchObject({ n: 1, result: outcome });
    }
  });

  it('a delivery that is final is not settled again', async () => {
    const logout = planned(['a']);
    await record(logout);
    const [delivery] = await lease(logout);
    await settle(settlement(delivery!, 'refused'));
    expect((await settle(settlement(delivery!, 'confirmed'))).settled[0]!.applied).toBe(false);
    expect(await readLogout(c.database, logout.id)).toMatchObject({ verdict: 'failed' });
  });
});

describe('the completion report', () => {
  it('equals plain SQL over the ledger, whatever happened, folded or not', async () => {
    const outcome = fc.constantFrom<FinalOutcome | 'retrying' | 'skipped'>(...FINAL_OUTCOMES, 'retrying');
    const logout = fc.record({
      deliveries: fc.array(fc.record({ sp: fc.constantFrom('x', 'y', 'z'), outcome, after: fc.integer({ min: 0, max: 100_000 }) }), {
        maxLength: 5,
      }),
      cause: fc.constantFrom('user', 'admin', 'risk' as const),
      hoursAgo: fc.integer({ min: 0, max: 50 }),
      replayed: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(logout, { minLength: 1, maxLength: 12 }), fc.boolean(), async (logouts, fold) => {
        await c.database.query(
          'TRUNCATE logouts, deliveries, attempts, report_logouts, report_logout_deltas, report_deliveries, report_delivery_deltas',
        );
        for (const one of logouts) {
          const requestedAt = new Date(c.clock.now().getTime() - one.hoursAgo * 3_600_000);
          const plan = planned(
            one.deliveries.map((delivery) => delivery.sp),
            { cause: one.cause as 'user', requestedAt },
          );
          await record(plan);
          const leased = await lease(plan);
          await settle(
            ...leased.map((delivery) =>
              settlement(delivery, one.deliveries[delivery.n - 1]!.outcome, one.deliveries[delivery.n - 1]!.after),
            ),
          );
          if (fold) await foldDeltas(c.database);
          if (one.replayed) {
            const now = c.clock.now();
            await c.database.transaction((sql) => reopenDeliveries(sql, plan.id, now, new Date(now.getTime() + DAY_MS), now));
            await settle(
              ...(await lease(plan)).filter((delivery) => delivery.attempt > 1).map((delivery) => settlement(delivery, 'confirmed', 5)),
            );
          }
        }
        await expectReportToEqualTheLedger();
        await foldDeltas(c.database);
        await expectReportToEqualTheLedger();
      }),
      { numRuns: 25 },
    );
  });

  async function expectReportToEqualTheLedger(): Promise<void> {
    const to = c.clock.now();
    const from = new Date(to.getTime() - 60 * 3_600_000);
    for (const by of ['sp', 'cause', 'day', 'idp', 'channel'] as const) {
      const report = await readCompletionReport(c.database, { from, to, by, idp: null });
      const column = {
        sp: 'd.sp_id',
        cause: 'l.cause',
        day: `to_char(l.requested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
        idp: 'l.idp_id',
        channel: 'd.channel',
      }[by];
      const outcomes = await c.database.query<{ key: string; outcome: FinalOutcome; n: number; ms: number }>(
        `SELECT ${column} AS key, d.outcome, count(*)::int AS n, COALESCE(sum(d.exposure_ms), 0)::float8 AS ms FROM deliveries d JOIN logouts l ON l.id = d.logout_id
         WHERE d.settled_at IS NOT NULL GROUP BY 1, 2`,
      );
      for (const item of report.items) {
        const mine = outcomes.filter((row) => row.key === item.key);
        for (const outcome of FINAL_OUTCOMES) expect(item.outcomes[outcome]).toBe(mine.find((row) => row.outcome === outcome)?.n ?? 0);
        const proven = mine.filter((row) => gradeOf(row.outcome) === 'proven');
        expect(item.exposureSeconds.sessions).toBe(proven.reduce((sum, row) => sum + row.n, 0));
        if (proven.length > 0) {
          const mean = proven.reduce((sum, row) => sum + row.ms, 0) / item.exposureSeconds.sessions / 1_000;
          expect(item.exposureSeconds.mean).toBeCloseTo(mean, 6);
        }
      }
      if (by === 'sp' || by === 'channel') continue;
      const logoutColumn = column.replace('d.', 'l.');
      const verdicts = await c.database.query<{ key: string; verdict: string; n: number }>(
        `SELECT ${logoutColumn} AS key, l.verdict, count(*)::int AS n FROM logouts l WHERE l.completed_at IS NOT NULL GROUP BY 1, 2`,
      );
      for (const item of report.items) {
        const mine = verdicts.filter((row) => row.key === item.key);
        const final = mine.reduce((sum, row) => sum + row.n, 0);
        expect(item.logouts).toBe(final);
        for (const verdict of VERDICTS)
          if (verdict !== 'pending') expect(item.verdicts![verdict]).toBe(mine.find((row) => row.verdict === verdict)?.n ?? 0);
        const complete = mine.find((row) => row.verdict === 'complete')?.n ?? 0;
        expect(item.completionRate).toBe(final === 0 ? null : complete / final);
      }
      expect(report.items.map((item) => item.key).sort()).toEqual([...new Set([...outcomes, ...verdicts].map((row) => row.key))].sort());
    }
    const [open] = await c.database.query<{ n: number }>('SELECT count(*)::int AS n FROM logouts WHERE completed_at IS NULL');
    expect((await readCompletionReport(c.database, { from, to, by: null, idp: null })).openLogouts).toBe(open!.n);
  }

  it('percentiles are never too low, and at most 9.1 % too high', async () => {
    await c.database.query(
      'TRUNCATE logouts, deliveries, attempts, report_logouts, report_logout_deltas, report_deliveries, report_delivery_deltas',
    );
    const times = Array.from({ length: 200 }, (_, at) => Math.round(1.07 ** at) + at);
    const plan = planned(times.map(() => 'a'));
    await record(plan);
    await settle(...(await lease(plan)).map((delivery) => settlement(delivery, 'confirmed', times[delivery.n - 1])));
    const report = await readCompletionReport(c.database, { from: new Date(0), to: c.clock.now(), by: null, idp: null });
    const sorted = times.toSorted((a, b) => a - b);
    for (const [name, share] of [
      ['p50', 0.5],
      ['p95', 0.95],
      ['p99', 0.99],
    ] as const) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
      const read = report.total.exposureSeconds[name]! * 1_000;
      expect(read).toBeGreaterThanOrEqual(exact * 0.999_999);
      expect(read).toBeLessThanOrEqual((exact + 1) * 1.0906);
    }
    expect(bucketLimitMs(8)).toBe(1);
  });
});

describe('retention', () => {
  it('makes partitions ahead, and can be run again and by several at once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => ensureAttemptPartitions(c.database, c.clock.now())));
    const rows = await c.database.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'attempts'::regclass`,
    );
    expect(rows.map((row) => row.name)).toContain(
      `attempts_${new Date(c.clock.now().getTime() + 7 * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`,
    );
  });

  it('drops an old partition, but never one that an open delivery still needs', async () => {
    const past = (days: number): Date => new Date(c.clock.now().getTime() - days * DAY_MS);
    for (const days of [100, 103]) await ensureAttemptPartitions(c.database, past(days));
    const [open, done] = [planned(['a'], { requestedAt: past(100) }), planned(['a'], { requestedAt: past(103) })];
    await record(open, done);
    await settle(settlement((await lease(open, past(100)))[0]!, 'retrying'), settlement((await lease(done, past(103)))[0]!, 'confirmed'));

    const day = (date: Date): string => `attempts_${date.toISOString().slice(0, 10).replaceAll('-', '')}`;
    const { dropped, kept } = await dropAttemptPartitions(c.database, past(90));
    expect(dropped).toContain(day(past(103)));
    expect(kept).toEqual([day(past(100))]);
    const [delivery] = await readDeliveries(c.database, (await readLogout(c.database, open.id))!);
    expect(delivery!.attempts).toHaveLength(1);
  });

  it('forgets completed logouts, ended sessions, event ids and token ids after their time, and nothing that is open', async () => {
    const periods = { attemptsDays: 90, ledgerDays: 400, endedSessionsDays: 30, eventIdsDays: 30 };
    await c.registerSp('app');
    await c.take(
      { type: 'session.started', id: 'old-1', handles: { sid: 'done' } },
      { type: 'session.started', id: 'old-2', handles: { sid: 'open' } },
    );
    await c.take(
      { type: 'session.joined', sp: 'app', parent: { sid: 'done' } },
      { type: 'session.joined', sp: 'app', parent: { sid: 'open' } },
    );
    const ended = await c.take({ type: 'session.ended', target: { sid: 'done' } }, { type: 'session.ended', target: { sid: 'open' } });
    const [done, open] = ended.map((result) => result.logoutId!);
    for (const delivery of await leaseDeliveries(c.database, [done!], c.clock.now(), new Date(c.clock.now().getTime() + 1_000), [])) {
      await settle(settlement(delivery, 'confirmed'));
    }
    await c.endByLogoutToken.end({ idpId: 'idp', sid: 'x', jti: 'j', forgetAt: c.clock.now() });
    const later = new Date(c.clock.now().getTime() + 401 * DAY_MS);
    await forgetOld(c.database, periods, later);
    expect(await readLogout(c.database, done!)).toBeNull();
    expect(await readLogout(c.database, open!)).toMatchObject({ verdict: 'pending' });
    const sids = await c.database.query<{ sid: string }>(`SELECT sid FROM sessions WHERE sid IN ('done', 'open', 'x')`);
    expect(sids).toEqual([{ sid: 'open' }]);
    expect(
      await c.database.query(`SELECT 1 FROM session_edges e WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = e.parent_id)`),
    ).toEqual([]);
    expect(await c.database.query(`SELECT 1 FROM intake_events`)).toEqual([]);
    expect(await c.database.query(`SELECT 1 FROM seen_tokens`)).toEqual([]);
  });
});
