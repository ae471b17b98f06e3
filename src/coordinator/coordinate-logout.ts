import { ExeuntError, isOpen, newId, verdictOf } from '#domain';
import type { Cause, Clock, FinalOutcome, Initiator, LogoutScope, Verdict } from '#domain';
import type { Outbox } from '#dispatch';
import { countGrades, readLogout, recordLogouts, reopenDeliveries } from '#ledger';
import type { PlannedLogout } from '#ledger';
import type { Database, Sql } from '#platform/database';
import type { Metrics } from '#platform/telemetry';
import { loadServiceProviders } from '#registry';
import { awaitLoginsOf, buryNames, endSessions } from '#sessions';
import type { Ended, Ending, SamlTombstone, Session, Target } from '#sessions';
import { planDeliveries } from './plan-deliveries.js';
import type { PlanSettings } from './plan-deliveries.js';

/** A request to end sessions of one IdP. */
export interface LogoutRequest {
  target: Target;
  cause: Cause;
  initiator: Initiator;
  scope: LogoutScope;
  reason: string | null;
  /** The logout whose ended graph a late session joined. */
  follows?: string | null;
  /** A NameID that nobody bears yet is ended if it comes by then. Default: {@link REMEMBERED_MS} from now. @see SLO-24 */
  rememberUntil?: Date;
}

/** So long a logout that came before its login is remembered, where nobody says how long. Milliseconds. */
const REMEMBERED_MS = 600_000;

/** What a request led to. */
export type LogoutAnswer =
  | {
      kind: 'started';
      logoutId: string;
      sessions: number;
      /** When what lies below gateways is due, whether or not they have answered; null where nothing waits. */
      belowDueAt: Date | null;
      /** Outcomes of the deliveries that were final from the start. */
      settled: FinalOutcome[];
      /** `pending`, unless there was nobody to tell. */
      verdict: Verdict;
    }
  /** All that is named has ended before; `logoutId` is the logout that ended it, where one did. */
  | { kind: 'ended-before'; logoutId: string | null }
  | { kind: 'unknown' }
  | { kind: 'root-refused'; spId: string };

export interface CoordinationSettings extends PlanSettings {
  deliveryDeadlineSeconds: number;
  sweepGraceSeconds: number;
}

/**
 * The story of a logout:
 *
 * 1. the sessions that are named, and all that hang on them, end        (#sessions)
 * 2. who must be told is planned                                         (plan-deliveries.ts)
 * 3. the logout and its deliveries are written                           (#ledger)
 * 4. all that commits in one transaction, and only then is it answered
 * 5. the deliveries go to the queue                                      (#dispatch)
 *
 * What happens after that, each attempt, answer and retry, is dispatch's story (`src/dispatch/fan-out.ts`) and ends in the ledger.
 */
export class CoordinateLogout {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly metrics: Metrics,
    private readonly settings: CoordinationSettings,
  ) {}

  /** One logout, in a transaction of its own. */
  async logOut(idpId: string, request: LogoutRequest): Promise<LogoutAnswer> {
    const [answer] = await this.database.transaction((sql) => this.endInTransaction(sql, idpId, [request]));
    this.begin([answer!], [request]);
    return answer!;
  }

  /** Steps 1 to 3, in a transaction of the caller's, who calls {@link begin} when it has committed. */
  async endInTransaction(sql: Sql, idpId: string, requests: readonly LogoutRequest[]): Promise<LogoutAnswer[]> {
    const now = this.clock.now();
    const ids = requests.map(() => newId(now.getTime()));
    const endings = requests.map((request, at) => ({ logoutId: ids[at]!, target: request.target, scope: request.scope }));
    const ended = await endOrRemember(sql, idpId, endings, requests, now);
    const sps = await loadServiceProviders(
      sql,
      ended.flatMap((one) => one.sessions.flatMap((session) => session.spId ?? [])),
    );
    const plans = requests.flatMap((request, at): PlannedLogout[] => {
      const { sessions } = ended[at]!;
      if (sessions.length === 0) return [];
      return [this.plan(ids[at]!, idpId, request, sessions, planDeliveries(sessions, sps, request, now, this.settings), now)];
    });
    await recordLogouts(sql, plans, this.settings.sweepGraceSeconds * 1_000);
    return ended.map((one, at) =>
      answerOf(
        one,
        ids[at]!,
        plans.find((plan) => plan.id === ids[at]),
        now,
      ),
    );
  }

  /** Step 5, once the transaction has committed. */
  begin(answers: readonly LogoutAnswer[], requests: readonly LogoutRequest[]): void {
    answers.forEach((answer, at) => {
      if (answer.kind !== 'started') return;
      this.metrics.logoutStarted(requests[at]!.cause);
      for (const outcome of answer.settled) this.metrics.deliverySettled(null, outcome);
      if (answer.verdict !== 'pending') this.metrics.logoutCompleted(answer.verdict);
      this.outbox.enqueue([answer.logoutId]);
      if (answer.belowDueAt !== null) this.outbox.schedule(answer.logoutId, answer.belowDueAt);
    });
  }

  /** An operator has the failed deliveries of a logout tried again, until a new deadline. @returns how many there were. */
  async replay(logoutId: string): Promise<number> {
    const now = this.clock.now();
    const deadlineAt = new Date(now.getTime() + this.settings.deliveryDeadlineSeconds * 1_000);
    const sweepAt = new Date(now.getTime() + this.settings.sweepGraceSeconds * 1_000);
    const reopened = await this.database.transaction((sql) => reopenDeliveries(sql, logoutId, now, deadlineAt, sweepAt));
    if (reopened > 0) this.outbox.enqueue([logoutId]);
    else if ((await readLogout(this.database, logoutId)) === null) throw new ExeuntError('not_found', `There is no logout "${logoutId}"`);
    return reopened;
  }

  private plan(
    id: string,
    idpId: string,
    request: LogoutRequest,
    sessions: readonly Session[],
    deliveries: PlannedLogout['deliveries'],
    now: Date,
  ): PlannedLogout {
    return {
      id,
      graphId: sessions[0]!.graphId,
      idpId,
      cause: request.cause,
      initiator: request.initiator,
      scope: request.scope,
      reason: request.reason,
      target: request.target,
      follows: request.follows ?? null,
      requestedAt: now,
      deadlineAt: new Date(now.getTime() + this.settings.deliveryDeadlineSeconds * 1_000),
      sessions: sessions.length,
      deliveries,
    };
  }
}

/**
 * Ends what is named. A NameID that nobody bears is looked for again when no login with it is under way any more, and remembered if it is still unknown;
 * a `sid` is remembered by {@link endSessions} itself.
 */
async function endOrRemember(
  sql: Sql,
  idpId: string,
  endings: readonly Ending[],
  requests: readonly LogoutRequest[],
  now: Date,
): Promise<Ended[]> {
  const kept = (spIds: readonly string[]) => keptFromRoot(sql, spIds);
  const ended = await endSessions(sql, idpId, endings, kept, now);
  const isUnknown = (at: number) => !ended[at]!.known && isNameAlone(requests[at]!.target);
  const unknown = requests.flatMap((_, at) => (isUnknown(at) ? [at] : []));
  if (unknown.length === 0) return ended;
  const nameIdAt = (at: number) => requests[at]!.target.nameId!;
  await awaitLoginsOf(sql, idpId, unknown.map(nameIdAt));
  const again = unknown.map((at) => endings[at]!);
  (await endSessions(sql, idpId, again, kept, now)).forEach((one, i) => (ended[unknown[i]!] = one));
  const tombstones = unknown.filter(isUnknown).flatMap((at): SamlTombstone[] => {
    const { target, rememberUntil } = requests[at]!;
    const sessionIndexes = target.sessionIndexes ?? (target.sessionIndex === undefined ? [] : [target.sessionIndex]);
    // Every session of a person, for nobody says how long: that would end the next login, too, which is another one.
    if (sessionIndexes.length === 0 && rememberUntil === undefined) return [];
    const forgetAt = rememberUntil ?? new Date(now.getTime() + REMEMBERED_MS);
    return [{ nameId: nameIdAt(at), sessionIndexes, spId: target.spId ?? null, forgetAt }];
  });
  await buryNames(sql, idpId, tombstones, now);
  return ended;
}

function isNameAlone({ nameId, sid, sessionId }: Target): boolean {
  return nameId !== undefined && sid === undefined && sessionId === undefined;
}

async function keptFromRoot(sql: Sql, spIds: readonly string[]): Promise<Set<string>> {
  const sps = await loadServiceProviders(sql, spIds);
  return new Set(spIds.filter((id) => sps.get(id)?.mayEndRoot !== true));
}

function answerOf(ended: Ended, logoutId: string, plan: PlannedLogout | undefined, now: Date): LogoutAnswer {
  if (ended.refusedSp !== null) return { kind: 'root-refused', spId: ended.refusedSp };
  if (plan !== undefined) {
    const later = plan.deliveries.find(
      (delivery) => delivery.outcome === 'pending' && delivery.nextAttemptAt !== null && delivery.nextAttemptAt > now,
    );
    const settled = plan.deliveries.flatMap(({ outcome }) => (isOpen(outcome) ? [] : outcome));
    const verdict = verdictOf(countGrades(plan));
    return { kind: 'started', logoutId, sessions: plan.sessions, belowDueAt: later?.nextAttemptAt ?? null, settled, verdict };
  }
  return ended.known ? { kind: 'ended-before', logoutId: ended.endedBefore } : { kind: 'unknown' };
}
