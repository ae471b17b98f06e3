import type { Cause, Clock, ErrorCode, Handles, Initiator, LogoutScope } from '#domain';
import type { Database, Sql } from '#platform/database';
import type { Metrics } from '#platform/telemetry';
import { loadServiceProviders } from '#registry';
import type { ServiceProvider } from '#registry';
import { findBuried, joinSessions, startSessions, touchSessions } from '#sessions';
import type { Arrival, ParentReference, Session, Target } from '#sessions';
import { claimEvents, noteEvents } from './claim-events.js';
import type { CoordinateLogout, LogoutAnswer, LogoutRequest } from './coordinate-logout.js';

interface EventOf<Type extends string> {
  /** Given by the IdP; unique per IdP. */
  id: string;
  type: Type;
  idp: string;
}

export interface SessionStarted extends EventOf<'session.started'> {
  handles: Handles;
  expiresAt: Date | null;
  idleTimeoutSeconds: number | null;
}
export interface SessionJoined extends EventOf<'session.joined'> {
  parent: ParentReference;
  sp: string;
  handles: Handles;
  expiresAt: Date | null;
  idleTimeoutSeconds: number | null;
}
export interface SessionTouched extends EventOf<'session.touched'> {
  target: Target;
  expiresAt: Date | null;
}
export interface SessionEnded extends EventOf<'session.ended'> {
  target: Target;
  cause: Cause;
  initiator: Initiator;
  scope: LogoutScope;
  reason: string | null;
}
export type SessionEvent = SessionStarted | SessionJoined | SessionTouched | SessionEnded;

/** What became of one event. */
export interface EventResult {
  id: string;
  status: 'accepted' | 'duplicate' | 'session_ended' | 'rejected';
  sessionId?: string | null;
  logoutId?: string | null;
  error?: { code: ErrorCode; detail: string };
}

/** Logouts that must be begun once the transaction has committed. */
interface Begun {
  answers: LogoutAnswer[];
  requests: LogoutRequest[];
}

/**
 * Takes a batch of session events of one IdP in one transaction: none of them is answered before all of them are durable.
 * Events are taken in order; neighbours of the same kind go to the database together. A rejected event leaves no trace, and may be sent again, mended.
 */
export class TakeEvents {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly coordinateLogout: CoordinateLogout,
    private readonly metrics: Metrics,
  ) {}

  async take(idpId: string, events: readonly SessionEvent[]): Promise<EventResult[]> {
    const sps = await loadServiceProviders(
      this.database,
      events.flatMap((event) => (event.type === 'session.joined' ? event.sp : [])),
    );
    const { results, begun } = await this.database.transaction((sql) => this.takeInTransaction(sql, idpId, events, sps));
    this.coordinateLogout.begin(begun.answers, begun.requests);
    results.forEach((result, at) => this.metrics.eventTaken(events[at]!.type, result.status, idpId));
    return results;
  }

  private async takeInTransaction(
    sql: Sql,
    idpId: string,
    events: readonly SessionEvent[],
    sps: ReadonlyMap<string, ServiceProvider>,
  ): Promise<{ results: EventResult[]; begun: Begun }> {
    const claimed = await claimEvents(sql, idpId, events, this.clock.now());
    const results: EventResult[] = claimed.map((claim, at) => ({ id: events[at]!.id, status: 'duplicate', ...claim.before }));
    const begun: Begun = { answers: [], requests: [] };
    const fresh = events.flatMap((event, at) => (claimed[at]!.isNew ? [{ event, at }] : []));
    for (const run of runsOfAKind(fresh)) {
      const taken = await this.takeRun(
        sql,
        idpId,
        run.map((one) => one.event),
        sps,
        begun,
      );
      run.forEach((one, i) => (results[one.at] = taken[i]!));
    }
    await noteEvents(
      sql,
      idpId,
      fresh.map(({ at }) => results[at]!),
    );
    return { results, begun };
  }

  private async takeRun(
    sql: Sql,
    idpId: string,
    run: readonly SessionEvent[],
    sps: ReadonlyMap<string, ServiceProvider>,
    begun: Begun,
  ): Promise<EventResult[]> {
    const first = run[0]!;
    switch (first.type) {
      case 'session.started':
      case 'session.joined':
        return this.takeArrivals(sql, idpId, run as (SessionStarted | SessionJoined)[], sps, begun);
      case 'session.touched':
        return this.takeTouches(sql, idpId, run as SessionTouched[]);
      case 'session.ended':
        return this.takeEndings(sql, idpId, run as SessionEnded[], begun);
    }
  }

  private async takeArrivals(
    sql: Sql,
    idpId: string,
    run: readonly (SessionStarted | SessionJoined)[],
    sps: ReadonlyMap<string, ServiceProvider>,
    begun: Begun,
  ): Promise<EventResult[]> {
    const now = this.clock.now();
    const results = new Map<SessionEvent, EventResult>();
    const started = run.filter((event) => event.type === 'session.started');
    const logins = started.map(({ handles, expiresAt, idleTimeoutSeconds }) => ({ idpId, handles, expiresAt, idleTimeoutSeconds }));
    const startedArrivals = await startSessions(sql, idpId, logins, now);
    startedArrivals.forEach((arrival, at) => results.set(started[at]!, arrived(started[at]!, arrival)));

    const joined = run.filter((event) => event.type === 'session.joined');
    const known = joined.filter((event) => {
      const sp = sps.get(event.sp);
      if (sp?.idp === idpId) return true;
      results.set(event, unknownSp(event, sp, idpId));
      return false;
    });
    const joinings = known.map((event) => ({ ...event, spId: event.sp, layer: sps.get(event.sp)!.layer }));
    const arrivals = await joinSessions(sql, idpId, joinings, now);
    arrivals.forEach((arrival, at) => results.set(known[at]!, arrived(known[at]!, arrival)));
    await this.endLateJoins(sql, idpId, arrivals, begun);
    await this.endBuried(sql, idpId, results, [...accepted(startedArrivals), ...accepted(arrivals)], begun);
    return run.map((event) => results.get(event)!);
  }

  /** A session that joined what has ended: its SP is told at once, by a logout that follows the one that ended the graph. */
  private async endLateJoins(sql: Sql, idpId: string, arrivals: readonly Arrival[], begun: Begun): Promise<void> {
    const requests = arrivals.flatMap((arrival): LogoutRequest[] => {
      if (arrival.kind !== 'session-ended' || arrival.session === null) return [];
      const target = { sessionId: arrival.session.id };
      const reason = 'joined a session that had ended';
      return [{ target, cause: 'unspecified', initiator: 'late-join', scope: 'session', reason, follows: arrival.logoutId }];
    });
    if (requests.length > 0) await this.end(sql, idpId, requests, begun);
  }

  /** Sessions that were logged out before they came: born dead. @see SLO-24 */
  private async endBuried(
    sql: Sql,
    idpId: string,
    results: Map<SessionEvent, EventResult>,
    sessions: readonly Session[],
    begun: Begun,
  ): Promise<void> {
    const buried = await findBuried(sql, idpId, sessions, this.clock.now());
    if (buried.length === 0) return;
    const sps = await loadServiceProviders(
      sql,
      buried.flatMap(({ session }) => session.spId ?? []),
    );
    const requests = buried.map(({ session, by }): LogoutRequest => {
      const upwards = by === 'sp' && sps.get(session.spId ?? '')?.mayEndRoot === true;
      const reason = 'a logout had come before the login';
      return {
        target: { sessionId: session.id },
        cause: 'unspecified',
        initiator: 'late-join',
        scope: upwards ? 'root' : 'session',
        reason,
      };
    });
    const answers = await this.end(sql, idpId, requests, begun);
    const logoutOf = new Map(buried.map(({ session }, at) => [session.id, logoutIdOf(answers[at]!)]));
    for (const [event, result] of results) {
      const logoutId = result.status === 'accepted' && result.sessionId ? logoutOf.get(result.sessionId) : undefined;
      if (logoutId !== undefined) results.set(event, { ...result, status: 'session_ended', logoutId });
    }
  }

  private async takeTouches(sql: Sql, idpId: string, run: readonly SessionTouched[]): Promise<EventResult[]> {
    const touched = await touchSessions(sql, idpId, run, this.clock.now());
    return touched.map((touch, at): EventResult => {
      const { id } = run[at]!;
      switch (touch.kind) {
        case 'touched':
          return { id, status: 'accepted', sessionId: touch.sessionId };
        case 'session-ended':
          return { id, status: 'session_ended', logoutId: touch.logoutId };
        case 'unknown':
          return {
            id,
            status: 'rejected',
            error: { code: 'unknown_session', detail: 'No session of this identity provider bears these handles' },
          };
      }
    });
  }

  private async takeEndings(sql: Sql, idpId: string, run: readonly SessionEnded[], begun: Begun): Promise<EventResult[]> {
    const answers = await this.end(sql, idpId, run, begun);
    return answers.map((answer, at): EventResult => {
      const { id } = run[at]!;
      switch (answer.kind) {
        case 'started':
          return { id, status: 'accepted', logoutId: answer.logoutId };
        case 'ended-before':
          return { id, status: 'accepted', logoutId: answer.logoutId };
        // Nobody to log out. A `sid` is remembered, so that a login event which is still on its way is ended when it comes.
        case 'unknown':
          return { id, status: 'accepted', logoutId: null };
        case 'root-refused':
          return {
            id,
            status: 'rejected',
            error: {
              code: 'forbidden',
              detail: `Service provider "${answer.spId}" may not end the session above its own (mayEndRoot is false)`,
            },
          };
      }
    });
  }

  private async end(sql: Sql, idpId: string, requests: readonly LogoutRequest[], begun: Begun): Promise<LogoutAnswer[]> {
    const answers = await this.coordinateLogout.endInTransaction(sql, idpId, requests);
    begun.answers.push(...answers);
    begun.requests.push(...requests);
    return answers;
  }
}

/** Splits into runs that are taken together: arrivals, touches, endings. */
function runsOfAKind<One extends { event: SessionEvent }>(events: readonly One[]): One[][] {
  const kind = (one: One): string => (one.event.type === 'session.joined' ? 'session.started' : one.event.type);
  const runs: One[][] = [];
  for (const one of events) {
    const last = runs.at(-1);
    if (last && kind(last[0]!) === kind(one)) last.push(one);
    else runs.push([one]);
  }
  return runs;
}

function arrived(event: SessionStarted | SessionJoined, arrival: Arrival): EventResult {
  const { id } = event;
  switch (arrival.kind) {
    case 'accepted':
      return { id, status: 'accepted', sessionId: arrival.session.id };
    case 'session-ended':
      return { id, status: 'session_ended', sessionId: arrival.session?.id ?? null, logoutId: arrival.logoutId };
    case 'unknown-parent':
      return {
        id,
        status: 'rejected',
        error: {
          code: 'unknown_parent',
          detail: `No session of identity provider "${event.idp}" bears the handles ${JSON.stringify('parent' in event ? event.parent : {})}; send its session.started first`,
        },
      };
    case 'other-subject':
      return {
        id,
        status: 'rejected',
        error: { code: 'conflict', detail: `This sid is a live session of sub "${arrival.known}", not of "${arrival.seen}"` },
      };
  }
}

function unknownSp(event: SessionJoined, sp: ServiceProvider | undefined, idpId: string): EventResult {
  const detail = sp
    ? `Service provider "${event.sp}" belongs to another identity provider than "${idpId}"`
    : `There is no service provider "${event.sp}"`;
  return { id: event.id, status: 'rejected', error: { code: sp ? 'forbidden' : 'not_found', detail } };
}

function accepted(arrivals: readonly Arrival[]): Session[] {
  return arrivals.flatMap((arrival) => (arrival.kind === 'accepted' ? arrival.session : []));
}

function logoutIdOf(answer: LogoutAnswer): string | null {
  return answer.kind === 'started' || answer.kind === 'ended-before' ? answer.logoutId : null;
}
