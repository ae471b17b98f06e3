import { FINAL_OUTCOMES, gradeOf, VERDICTS } from '#domain';
import type { FinalOutcome, Verdict } from '#domain';
import { bucketLimitMs } from '#ledger';
import type { Sql } from '#platform/database';

export const REPORT_GROUPS = ['sp', 'idp', 'channel', 'cause', 'day'] as const;
export type ReportGroup = (typeof REPORT_GROUPS)[number];

/** The figures of one group, or of everything. */
export interface CompletionFigures {
  /**
   * What the rates are of. `logouts`: whole logouts. `deliveries`: where a group is a part of a logout (an SP, a channel), its deliveries.
   */
  basis: 'logouts' | 'deliveries';
  /** Logouts that are final; null where the basis is deliveries. */
  logouts: number | null;
  /** Final logouts whose deliveries are all `confirmed` or `expired`, divided by final logouts. Null when there are none. */
  completionRate: number | null;
  /** The share that is proven or promised (`accepted`). Null when there are none. */
  provenOrPromisedShare: number | null;
  verdicts: Record<Exclude<Verdict, 'pending'>, number> | null;
  /** Final deliveries by outcome. */
  outcomes: Record<FinalOutcome, number>;
  /** How long sessions stayed alive after their logout was asked for, of deliveries that are proven. Seconds; percentiles within 9 %. */
  exposureSeconds: { sessions: number; mean: number | null; p50: number | null; p95: number | null; p99: number | null };
  /** From request to the last delivery, of final logouts. Seconds; percentiles within 9 %. Null where the basis is deliveries. */
  timeToLogoutSeconds: { p50: number | null; p95: number | null; p99: number | null } | null;
}

export interface CompletionReport {
  /** Whole hours: the first hour that is counted, and the end of the last one. */
  from: Date;
  to: Date;
  by: ReportGroup | null;
  total: CompletionFigures;
  /** Logouts asked for in this time that are not final yet: in none of the figures. */
  openLogouts: number;
  items: (CompletionFigures & { key: string })[];
}

export interface ReportRequest {
  from: Date;
  to: Date;
  by: ReportGroup | null;
  /** Only this IdP. */
  idp: string | null;
}

const HOUR_MS = 3_600_000;

const KEYS: Record<ReportGroup, { logouts: string | null; deliveries: string }> = {
  sp: { logouts: null, deliveries: 'sp_id' },
  channel: { logouts: null, deliveries: 'channel' },
  idp: { logouts: 'idp_id', deliveries: 'idp_id' },
  cause: { logouts: 'cause', deliveries: 'cause' },
  day: { logouts: `to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD')`, deliveries: `to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD')` },
};

interface LogoutRow {
  key: string;
  verdict: Verdict;
  bucket: number;
  n: number;
}
interface DeliveryRow {
  key: string;
  outcome: FinalOutcome;
  bucket: number;
  n: number;
  exposureMs: number;
}

/** The completion report, from the roll-ups and the deltas not yet folded into them; it never reads a delivery or an attempt. */
export async function readCompletionReport(sql: Sql, request: ReportRequest): Promise<CompletionReport> {
  const from = new Date(Math.floor(request.from.getTime() / HOUR_MS) * HOUR_MS);
  const to = new Date(Math.ceil(request.to.getTime() / HOUR_MS) * HOUR_MS);
  const keys = request.by === null ? { logouts: `''`, deliveries: `''` } : KEYS[request.by];
  const params = [from, to, request.idp];
  const where = `hour >= $1 AND hour < $2 AND ($3::text IS NULL OR idp_id = $3)`;
  const logouts = await sql.query<LogoutRow>(
    `SELECT ${keys.logouts ?? `''`} AS key, verdict, bucket, sum(n)::float8 AS n
     FROM (SELECT * FROM report_logouts WHERE ${where} UNION ALL SELECT * FROM report_logout_deltas WHERE ${where}) r GROUP BY 1, 2, 3 HAVING sum(n) <> 0`,
    params,
  );
  const deliveries = await sql.query<DeliveryRow>(
    `SELECT ${keys.deliveries} AS key, outcome, bucket, sum(n)::float8 AS n, sum(exposure_ms_sum)::float8 AS "exposureMs"
     FROM (SELECT * FROM report_deliveries WHERE ${where} UNION ALL SELECT * FROM report_delivery_deltas WHERE ${where}) r GROUP BY 1, 2, 3 HAVING sum(n) <> 0`,
    params,
  );
  const [open] = await sql.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM logouts WHERE completed_at IS NULL AND requested_at >= $1 AND requested_at < $2 AND ($3::text IS NULL OR idp_id = $3)`,
    params,
  );
  const isLogoutKey = keys.logouts !== null;
  const all = [...new Set([...(isLogoutKey ? logouts : []), ...deliveries].map((row) => row.key))].sort();
  return {
    from,
    to,
    by: request.by,
    total: figuresOf(logouts, deliveries),
    openLogouts: open!.n,
    items:
      request.by === null
        ? []
        : all.map((key) => ({
            key,
            ...figuresOf(
              isLogoutKey ? logouts.filter((row) => row.key === key) : null,
              deliveries.filter((row) => row.key === key),
            ),
          })),
  };
}

/** @param logouts null where the group is a part of a logout, so that the rates are those of deliveries. */
export function figuresOf(logouts: readonly LogoutRow[] | null, deliveries: readonly DeliveryRow[]): CompletionFigures {
  const outcomes = Object.fromEntries(FINAL_OUTCOMES.map((outcome) => [outcome, 0])) as Record<FinalOutcome, number>;
  for (const row of deliveries) outcomes[row.outcome] += row.n;
  const exposed = deliveries.filter((row) => row.bucket >= 0);
  const sessions = sum(exposed.map((row) => row.n));
  const exposureSeconds = {
    sessions,
    mean: sessions === 0 ? null : sum(exposed.map((row) => row.exposureMs)) / sessions / 1_000,
    ...percentiles(exposed),
  };
  if (logouts === null) {
    const graded = (grade: string): number =>
      sum(FINAL_OUTCOMES.filter((outcome) => gradeOf(outcome) === grade).map((outcome) => outcomes[outcome]));
    const final = sum(Object.values(outcomes));
    return {
      basis: 'deliveries',
      logouts: null,
      completionRate: ratio(graded('proven'), final),
      provenOrPromisedShare: ratio(graded('proven') + graded('promised'), final),
      verdicts: null,
      outcomes,
      exposureSeconds,
      timeToLogoutSeconds: null,
    };
  }
  const final = VERDICTS.filter((verdict) => verdict !== 'pending');
  const verdicts = Object.fromEntries(final.map((verdict) => [verdict, 0])) as Record<Exclude<Verdict, 'pending'>, number>;
  for (const row of logouts) if (row.verdict !== 'pending') verdicts[row.verdict] += row.n;
  const count = sum(Object.values(verdicts));
  return {
    basis: 'logouts',
    logouts: count,
    completionRate: ratio(verdicts.complete, count),
    provenOrPromisedShare: ratio(verdicts.complete + verdicts.promised, count),
    verdicts,
    outcomes,
    exposureSeconds,
    timeToLogoutSeconds: percentiles(logouts),
  };
}

function percentiles(rows: readonly { bucket: number; n: number }[]): { p50: number | null; p95: number | null; p99: number | null } {
  const sorted = [...rows].sort((a, b) => a.bucket - b.bucket);
  const total = sum(sorted.map((row) => row.n));
  const at = (share: number): number | null => {
    let seen = 0;
    for (const row of sorted) {
      seen += row.n;
      if (seen >= share * total) return Math.ceil(bucketLimitMs(row.bucket)) / 1_000;
    }
    return null;
  };
  return total === 0 ? { p50: null, p95: null, p99: null } : { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
