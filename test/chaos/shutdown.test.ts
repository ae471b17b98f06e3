import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { until } from '../support/process.js';
import { describeOnRedis } from '../support/redis.js';
import { built } from './built.js';
import type { ExeuntProcess } from './exeunt-process.js';
import { Load } from './load.js';
import type { Token } from './sink-process.js';
import { Stage } from './stage.js';
import type { Backend } from './stage.js';

jest.setTimeout(180_000);

const DRAIN_SECONDS = 6;
/** An attempt may take longer than the drain, and a lease outlives both. */
const CONFIG = `
dispatch:
  attemptTimeoutMs: 9000
  attemptTimeoutLimitMs: 9500
  leaseSeconds: 10
  drainSeconds: ${DRAIN_SECONDS}
  sweepIntervalMs: 200
  sweepGraceSeconds: 1
  layerWaitMs: 500
log:
  level: info
`;
const SPS = 5;

let stage: Stage;
let load: Load;
let nextUser = 1;

/** Users of this test alone; none that is a multiple of ten, whose late login would be one delivery more. */
function users(count: number): number[] {
  const fresh: number[] = [];
  for (; fresh.length < count; nextUser++) if (nextUser % 10 !== 0) fresh.push(nextUser);
  return fresh;
}

async function tokensOf(some: readonly number[]): Promise<Token[]> {
  const own = new Set(some.flatMap((user) => stage.sps.map((sp) => `s${user}-${sp}`)));
  return (await stage.sink.tokens()).filter((token) => own.has(token.sid));
}

function countBySession(tokens: readonly Token[]): number[] {
  const counts = new Map<string, number>();
  for (const { sid } of tokens) counts.set(sid, (counts.get(sid) ?? 0) + 1);
  return [...counts.values()];
}

async function verdicts(): Promise<string[]> {
  return (await stage.rows<{ verdict: string }>('SELECT DISTINCT verdict FROM logouts')).map((row) => row.verdict);
}

async function attemptsWithoutResult(): Promise<number> {
  return (await stage.rows('SELECT 1 FROM attempts WHERE result IS NULL')).length;
}

function stageOn(backend: Backend): void {
  beforeAll(async () => {
    await built();
    stage = await Stage.build({ backend, sps: SPS, workers: 2, config: CONFIG });
    load = new Load(stage.api, stage.sps);
  }, 240_000);
  beforeEach(() => stage.sink.behave({}));
  afterAll(() => stage?.strike());
}

describe('processes that come and go [postgres]', () => {
  stageOn('postgres');

  it('two workers share 200 logouts, and no delivery is sent twice', async () => {
    const many = users(200);
    for (let at = 0; at < many.length; at += 10) await load.logInAndOut(many.slice(at, at + 10));
    await stage.drained(90_000);
    const counts = countBySession(await tokensOf(many));
    expect(counts).toHaveLength(200 * SPS);
    expect(counts.filter((n) => n !== 1)).toEqual([]);
    for (const worker of stage.workers) expect(worker.process.output).toContain('"msg":"attempt"');
    expect(await verdicts()).toEqual(['complete']);
  });

  it('a worker that gets SIGTERM is not ready, ends what it has begun, writes it down, and goes with 0 within its drain', async () => {
    const [leaving, other] = stage.workers;
    expect((await other!.end('SIGTERM')).code).toBe(0);
    await stage.sink.behave({ slow: 1, slowMs: 1_500 });
    const some = users(6);
    const before = await attemptsWithoutResult();
    await load.logInAndOut(some);
    await until(async () => (await tokensOf(some)).some((token) => !token.answered), 'SPs are being told', 60_000);

    const ending = leaving!.end('SIGTERM');
    let told: Awaited<ReturnType<ExeuntProcess['readiness']>> = null;
    await until(
      async () => (told = (await leaving!.readiness()) ?? told)?.status === 503 || leaving!.process.isOver,
      'it says that it goes',
    );
    expect(told).toMatchObject({ status: 503, checks: { process: 'it is shutting down' } });
    const { code, ms } = await ending;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(DRAIN_SECONDS * 1_000);
    const sent = await tokensOf(some);
    expect(sent.filter((token) => !token.answered)).toEqual([]);
    expect(await attemptsWithoutResult()).toBe(before);

    for (const worker of stage.workers) worker.startAgain();
    await stage.drained(90_000);
    const counts = countBySession(await tokensOf(some));
    expect(counts).toHaveLength(some.length * SPS);
    expect(counts.filter((n) => n !== 1)).toEqual([]);
    await Promise.all(stage.workers.map((worker) => worker.ready()));
  });

  it('a worker that is stopped while an SP hangs goes after its drain; when its lease is over, another one sends again', async () => {
    const [leaving, other] = stage.workers;
    expect((await other!.end('SIGTERM')).code).toBe(0);
    const sp = stage.sps.at(-1)!;
    await stage.sink.behave({ hanging: [sp] });
    const [user] = users(1);
    await load.logInAndOut([user!]);
    const told = async (): Promise<Token[]> => (await tokensOf([user!])).filter((token) => token.sp === sp);
    await until(async () => (await told()).length === 1, 'the SP that hangs is told', 60_000);

    const { code, ms } = await leaving!.end('SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeGreaterThan(DRAIN_SECONDS * 1_000 - 1_000);
    const [delivery] = await stage.rows<{ outcome: string; leased: boolean }>(
      `SELECT outcome, lease_until IS NOT NULL AS leased FROM deliveries WHERE token_sid = $1`,
      [`s${user}-${sp}`],
    );
    expect(delivery).toEqual({ outcome: 'pending', leased: true });

    await stage.sink.behave({});
    other!.startAgain();
    await stage.drained(90_000);
    const tokens = await told();
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens.map((token) => token.jti)).size).toBe(2);
    expect(
      await stage.rows(
        'SELECT a.n, a.result FROM attempts a JOIN deliveries d ON d.logout_id = a.logout_id AND d.n = a.delivery_n WHERE d.token_sid = $1 ORDER BY a.n',
        [`s${user}-${sp}`],
      ),
    ).toEqual([
      { n: 1, result: null },
      { n: 2, result: 'confirmed' },
    ]);
    leaving!.startAgain();
    await Promise.all(stage.workers.map((worker) => worker.ready()));
  });

  it('an API that gets SIGTERM acknowledges, or answers 503, or is gone; what it acknowledged is carried out', async () => {
    const some = users(60);
    const answers = new Set<number | 'gone'>();
    const acknowledged: number[] = [];
    let over = false;
    const poster = async (own: readonly number[]): Promise<void> => {
      for (const user of own) {
        if (over) return;
        const events = [
          { id: `in-${user}`, type: 'session.started', idp: 'chaos-op', handles: { sid: `s${user}` } },
          ...stage.sps.map((sp) => ({
            id: `j-${user}-${sp}`,
            type: 'session.joined',
            idp: 'chaos-op',
            parent: { sid: `s${user}` },
            sp,
            handles: { sid: `s${user}-${sp}` },
          })),
          { id: `out-${user}`, type: 'session.ended', idp: 'chaos-op', handles: { sid: `s${user}` } },
        ];
        const response = await stage.api.once('POST', '/v1/events', { events });
        answers.add(response?.status ?? 'gone');
        if (response?.status === 202) acknowledged.push(user);
      }
    };
    const posting = Promise.all([0, 1, 2].map((lane) => poster(some.filter((_, at) => at % 3 === lane))));
    await until(() => acknowledged.length >= 3, 'some are acknowledged');
    const { code, ms } = await stage.apiProcess.end('SIGTERM');
    over = true;
    await posting;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(20_000);
    expect([...answers].filter((answer) => ![202, 503, 'gone'].includes(answer))).toEqual([]);
    expect(await stage.api.once('GET', '/v1/logouts')).toBeNull();

    await stage.drained(90_000);
    const told = new Set((await tokensOf(acknowledged)).map((token) => token.sid));
    expect(told.size).toBe(acknowledged.length * SPS);
    stage.apiProcess.startAgain();
    await stage.apiProcess.ready();
  });

  it('/readyz fails while the database is away, and is well again after it; what comes then is carried out', async () => {
    await stage.postgres.stop();
    for (const process of stage.processes) {
      await until(async () => (await process.readiness())?.status === 503, `${process.role} says that it is not ready`, 60_000);
      expect((await process.readiness())?.checks).toMatchObject({ database: 'it does not answer' });
    }
    const refusal = await stage.api.once('POST', '/v1/events', {
      events: [{ id: 'x', type: 'session.ended', idp: 'chaos-op', handles: { sid: 'x' } }],
    });
    expect(refusal?.status).toBe(503);
    expect(await refusal?.json()).toMatchObject({ type: 'urn:exeunt:problem:unavailable' });
    await stage.postgres.startAgain();
    for (const process of stage.processes) await process.ready();
    expect(stage.processes.map((process) => [process.failedStarts, process.crashes])).toEqual(stage.processes.map(() => [0, []]));
    const some = users(3);
    await load.logInAndOut(some);
    await stage.drained(60_000);
    expect(countBySession(await tokensOf(some))).toHaveLength(3 * SPS);
  });

  it('a restart of the database in the middle of sending loses no answer of an SP, and nothing is sent twice', async () => {
    await stage.sink.behave({ slow: 1, slowMs: 1_500 });
    const some = users(6);
    await load.logInAndOut(some);
    await until(async () => (await tokensOf(some)).some((token) => !token.answered), 'SPs are being told', 60_000);
    await stage.postgres.stop();
    await until(
      async () => (await tokensOf(some)).every((token) => token.answered),
      'they have answered while the database is away',
      60_000,
    );
    await stage.postgres.startAgain();
    await stage.drained(60_000);
    const counts = countBySession(await tokensOf(some));
    expect(counts).toHaveLength(some.length * SPS);
    expect(counts.filter((n) => n !== 1)).toEqual([]);
    for (const process of stage.processes) await process.ready();
  });

  it('a worker that stands still (SIGSTOP) does not answer /readyz; another one sends what it held', async () => {
    const [still, other] = stage.workers;
    expect((await other!.end('SIGTERM')).code).toBe(0);
    await stage.sink.behave({ slow: 1, slowMs: 2_000 });
    const some = users(2);
    await load.logInAndOut(some);
    await until(async () => (await tokensOf(some)).length > 0, 'SPs are being told', 60_000);
    still!.process.child.kill('SIGSTOP');
    try {
      expect(await still!.readiness()).toBeNull();
      await stage.sink.behave({});
      other!.startAgain();
      await stage.drained(90_000);
    } finally {
      still!.process.child.kill('SIGCONT');
    }
    await Promise.all(stage.workers.map((worker) => worker.ready()));
    expect(await verdicts()).toEqual(['complete']);
    expect(await stage.rows(`SELECT 1 FROM deliveries WHERE outcome <> 'confirmed' OR lease_until IS NOT NULL`)).toEqual([]);
  });
});

describeOnRedis('processes that come and go', () => {
  stageOn('redis');

  it('two workers share 200 logouts, and no delivery is sent twice', async () => {
    const many = users(200);
    for (let at = 0; at < many.length; at += 10) await load.logInAndOut(many.slice(at, at + 10));
    await stage.drained(90_000);
    const counts = countBySession(await tokensOf(many));
    expect(counts).toHaveLength(200 * SPS);
    expect(counts.filter((n) => n !== 1)).toEqual([]);
    for (const worker of stage.workers) expect(worker.process.output).toContain('"msg":"attempt"');
  });

  it('while Redis is away workers say that they are not ready, the API goes on taking logouts; when it is back they are carried out', async () => {
    await stage.redis!.kill();
    const some = users(3);
    await load.logInAndOut(some);
    expect((await stage.apiProcess.readiness())?.status).toBe(200);
    for (const worker of stage.workers) {
      await until(async () => (await worker.readiness())?.status === 503, 'the worker says that it is not ready', 60_000);
      expect((await worker.readiness())?.checks).toMatchObject({ database: 'ok', worker: expect.stringMatching(/queue/) });
    }
    await stage.redis!.startAgain();
    await Promise.all(stage.workers.map((worker) => worker.ready()));
    await stage.drained(60_000);
    expect(countBySession(await tokensOf(some))).toHaveLength(3 * SPS);
  });

  it('while Redis is away every process still stops on SIGTERM, with 0', async () => {
    await stage.redis!.kill();
    const some = users(3);
    await load.logInAndOut(some);
    const ends = await Promise.all(stage.processes.map(async (process) => ({ role: process.role, ...(await process.end('SIGTERM')) })));
    expect(ends.map(({ role, code }) => [role, code])).toEqual(stage.processes.map(({ role }) => [role, 0]));
    for (const { ms } of ends) expect(ms).toBeLessThan((DRAIN_SECONDS + 15) * 1_000);
    await stage.redis!.startAgain();
    for (const process of stage.processes) process.startAgain();
    await Promise.all(stage.processes.map((process) => process.ready()));
    await stage.drained(60_000);
    expect(countBySession(await tokensOf(some))).toHaveLength(3 * SPS);
  });
});
