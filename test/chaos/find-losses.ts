import type { Load } from './load.js';
import type { Token } from './sink-process.js';
import type { Stage } from './stage.js';

interface Delivery {
  logoutId: string;
  n: number;
  sp: string;
  sid: string;
  outcome: string;
  attempts: number;
  leased: boolean;
  waiting: boolean;
}
interface Attempt {
  logoutId: string;
  deliveryN: number;
  n: number;
  result: string | null;
  httpStatus: number | null;
  jti: string | null;
}
interface Report {
  total: { logouts: number; verdicts: Record<string, number>; outcomes: Record<string, number>; exposureSeconds: { sessions: number } };
  openLogouts: number;
}

export interface Findings {
  /** Broken promises; empty is what is wanted. */
  broken: string[];
  deliveries: number;
  tokens: number;
  /** Deliveries by the number of tokens that their SP got for them. */
  tokensPerDelivery: Record<number, number>;
  /** Attempts whose end nobody wrote down: their process was killed, or the database was away for too long. */
  attemptsWithoutResult: number;
}

export interface QueueClaim {
  withinMs: number;
  /** Jobs that killed workers had in hand: the queue finds them after 30 s only, and no delivery waits for that. */
  activeAtMost: number;
}

const KEY = (sp: string, sid: string): string => `${sp} ${sid}`;
const SHOWN = 5;

/** Holds what was acknowledged against what the ledger, the sessions, the report, the queue and the SPs say. */
export async function findLosses(stage: Stage, load: Load, queue: QueueClaim): Promise<Findings> {
  const broken: string[] = [];
  const claim = (promise: string, offenders: readonly unknown[]): void => {
    if (offenders.length > 0) broken.push(`${promise}: ${offenders.length} not, such as ${JSON.stringify(offenders.slice(0, SHOWN))}`);
  };
  const tokens = await stage.sink.tokens();
  const deliveries = await stage.rows<Delivery>(
    `SELECT logout_id AS "logoutId", n, sp_id AS sp, token_sid AS sid, outcome, attempts, lease_until IS NOT NULL AS leased, next_attempt_at IS NOT NULL AS waiting
     FROM deliveries`,
  );
  const attempts = await stage.rows<Attempt>(
    `SELECT logout_id AS "logoutId", delivery_n AS "deliveryN", n, result, http_status AS "httpStatus", jti FROM attempts ORDER BY logout_id, delivery_n, n`,
  );
  await checkLogouts(stage, load, claim);
  await checkSessions(stage, load, claim);
  checkDeliveries(load, deliveries, claim);
  checkAttempts(deliveries, attempts, claim);
  const perDelivery = checkTokens(load, deliveries, attempts, tokens, claim);
  await checkReport(stage, claim);
  const held = await stage.queueEmpties(queue.withinMs, queue.activeAtMost);
  claim('the queue holds nothing', held);
  claim(
    'no process ended by itself',
    stage.processes.flatMap((process) => process.crashes),
  );
  return {
    broken,
    deliveries: deliveries.length,
    tokens: tokens.length,
    tokensPerDelivery: perDelivery,
    attemptsWithoutResult: attempts.filter((attempt) => attempt.result === null).length,
  };
}

type Claim = (promise: string, offenders: readonly unknown[]) => void;

async function checkLogouts(stage: Stage, load: Load, claim: Claim): Promise<void> {
  const logouts = await stage.rows<{
    id: string;
    verdict: string;
    completed: boolean;
    open: number;
    proven: number;
    deliveries: number;
    sid: string;
    late: boolean;
  }>(
    `SELECT id, verdict, completed_at IS NOT NULL AS completed, open, proven, deliveries, target->>'sid' AS sid, initiator = 'late-join' AS late FROM logouts`,
  );
  const byId = new Map(logouts.map((logout) => [logout.id, logout]));
  claim(
    'every acknowledged logout is in the ledger',
    [...load.logoutIds].filter((id) => !byId.has(id)),
  );
  claim(
    'every logout is complete',
    logouts.filter((logout) => !logout.completed || logout.verdict !== 'complete'),
  );
  claim(
    'the counters of a logout are those of its deliveries',
    logouts.filter((logout) => logout.open !== 0 || logout.proven !== logout.deliveries),
  );
  claim(
    'an event that was sent again starts no second logout',
    logouts.filter((logout) => !logout.late && !load.logoutIds.has(logout.id)),
  );
  const late = load.expected.filter((one) => one.logoutId === null).length;
  const found = logouts.filter((logout) => logout.late).length;
  claim('every late login has one logout', found === late ? [] : [{ wanted: late, found }]);
}

async function checkSessions(stage: Stage, load: Load, claim: Claim): Promise<void> {
  claim(
    'every session of an ended graph has ended',
    await stage.rows(`SELECT id, sp_id, sid FROM sessions WHERE state <> 'ended' OR ended_by IS NULL`),
  );
  const [row] = await stage.rows<{ n: number }>('SELECT count(*)::int AS n FROM sessions');
  const wanted = load.expected.length + load.logoutIds.size;
  claim('no session is missing or doubled', row!.n === wanted ? [] : [{ wanted, found: row!.n }]);
}

function checkDeliveries(load: Load, deliveries: readonly Delivery[], claim: Claim): void {
  const found = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const key = KEY(delivery.sp, delivery.sid);
    found.set(key, [...(found.get(key) ?? []), delivery]);
  }
  const wanted = new Map(load.expected.map((one) => [KEY(one.sp, one.sid), one]));
  claim(
    'every session at an SP has one delivery, of the logout that was acknowledged',
    load.expected.filter(({ sp, sid, logoutId }) => {
      const own = found.get(KEY(sp, sid)) ?? [];
      return own.length !== 1 || (logoutId !== null && own[0]!.logoutId !== logoutId);
    }),
  );
  claim(
    'there is no delivery that nobody asked for',
    deliveries.filter((delivery) => !wanted.has(KEY(delivery.sp, delivery.sid))),
  );
  claim(
    'every delivery is confirmed',
    deliveries.filter((delivery) => delivery.outcome !== 'confirmed'),
  );
  claim(
    'no delivery is leased or waits',
    deliveries.filter((delivery) => delivery.leased || delivery.waiting),
  );
}

function checkAttempts(deliveries: readonly Delivery[], attempts: readonly Attempt[], claim: Claim): void {
  const numbers = new Map<string, number[]>();
  for (const { logoutId, deliveryN, n } of attempts) {
    const key = `${logoutId} ${deliveryN}`;
    numbers.set(key, [...(numbers.get(key) ?? []), n]);
  }
  claim(
    'the attempts of a delivery are 1, 2, 3 ... up to its count',
    deliveries.filter((delivery) => {
      const own = numbers.get(`${delivery.logoutId} ${delivery.n}`) ?? [];
      return own.length !== delivery.attempts || own.some((n, at) => n !== at + 1);
    }),
  );
  const total = deliveries.reduce((sum, delivery) => sum + delivery.attempts, 0);
  claim('there is no attempt of no delivery', attempts.length === total ? [] : [{ wanted: total, found: attempts.length }]);
}

function checkTokens(
  load: Load,
  deliveries: readonly Delivery[],
  attempts: readonly Attempt[],
  tokens: readonly Token[],
  claim: Claim,
): Record<number, number> {
  const byJti = new Map<string, Token>();
  const twice = tokens.filter((token) => byJti.size === byJti.set(token.jti, token).size);
  claim('no token id comes twice', twice);
  const got = new Map<string, number>();
  for (const { sp, sid } of tokens) got.set(KEY(sp, sid), (got.get(KEY(sp, sid)) ?? 0) + 1);
  claim(
    'every SP was told of every session of its own',
    load.expected.filter(({ sp, sid }) => !got.has(KEY(sp, sid))),
  );
  const wanted = new Set(load.expected.map(({ sp, sid }) => KEY(sp, sid)));
  claim(
    'no SP was told of a session that nobody ended',
    tokens.filter(({ sp, sid }) => !wanted.has(KEY(sp, sid))),
  );
  claim(
    'no token was sent without its attempt in the ledger',
    deliveries.filter((delivery) => (got.get(KEY(delivery.sp, delivery.sid)) ?? 0) > delivery.attempts),
  );
  claim(
    'the ledger says of an attempt what its SP answered',
    attempts.filter(({ jti, httpStatus }) => httpStatus !== null && (jti === null || byJti.get(jti)?.status !== httpStatus)),
  );
  const proof = new Set(
    attempts
      .filter((one) => one.result === 'confirmed' && one.jti !== null && byJti.get(one.jti)?.status === 200)
      .map((one) => `${one.logoutId} ${one.deliveryN}`),
  );
  claim(
    'what is confirmed was confirmed by its SP',
    deliveries.filter((delivery) => delivery.outcome === 'confirmed' && !proof.has(`${delivery.logoutId} ${delivery.n}`)),
  );
  const perDelivery: Record<number, number> = {};
  for (const { sp, sid } of deliveries) {
    const n = got.get(KEY(sp, sid)) ?? 0;
    perDelivery[n] = (perDelivery[n] ?? 0) + 1;
  }
  return perDelivery;
}

/** The report is read from roll-ups; the same figures are counted here from the rows themselves. */
async function checkReport(stage: Stage, claim: Claim): Promise<void> {
  const report = await stage.api.call<Report>('GET', '/v1/reports/completion');
  const count = async (text: string): Promise<Record<string, number>> =>
    Object.fromEntries((await stage.rows<{ key: string; n: number }>(text)).map(({ key, n }) => [key, n]));
  const verdicts = await count('SELECT verdict AS key, count(*)::int AS n FROM logouts WHERE completed_at IS NOT NULL GROUP BY 1');
  const outcomes = await count('SELECT outcome AS key, count(*)::int AS n FROM deliveries WHERE settled_at IS NOT NULL GROUP BY 1');
  const [rows] = await stage.rows<{ logouts: number; open: number; exposed: number }>(
    `SELECT count(*) FILTER (WHERE completed_at IS NOT NULL)::int AS logouts, count(*) FILTER (WHERE completed_at IS NULL)::int AS open,
       (SELECT count(*)::int FROM deliveries WHERE exposure_ms IS NOT NULL) AS exposed FROM logouts`,
  );
  const some = (figures: Record<string, number>): Record<string, number> =>
    Object.fromEntries(
      Object.entries(figures)
        .filter(([, n]) => n !== 0)
        .sort(),
    );
  const said = {
    logouts: report.total.logouts,
    open: report.openLogouts,
    verdicts: some(report.total.verdicts),
    outcomes: some(report.total.outcomes),
    exposed: report.total.exposureSeconds.sessions,
  };
  const counted = { logouts: rows!.logouts, open: rows!.open, verdicts: some(verdicts), outcomes: some(outcomes), exposed: rows!.exposed };
  claim('the report says what the rows say', JSON.stringify(said) === JSON.stringify(counted) ? [] : [{ said, counted }]);
}
