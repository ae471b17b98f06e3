import type { AttemptResult } from '#channels';
import { messageOf } from '#domain';
import type { Clock } from '#domain';
import { leaseDeliveries, openNextLayer } from '#ledger';
import type { LeasedDelivery, Settlement } from '#ledger';
import type { Config } from '#platform/config';
import type { Database } from '#platform/database';
import { logAttempt } from '#platform/telemetry';
import type { Logger, Metrics } from '#platform/telemetry';
import { ladderOf } from '#registry';
import type { LadderStep, ServiceProvider } from '#registry';
import type { ChannelTable } from './channel-table.js';
import { countSettled } from './count-settled.js';
import type { UsedChannel } from './count-settled.js';
import { HeldBack } from './held-back.js';
import { judgeAttempt } from './judge-attempt.js';
import type { Lane } from './lane.js';
import type { Lanes } from './lanes.js';
import { LeaseTurns } from './lease-turns.js';
import type { Begun } from './lease-turns.js';
import type { Outbox } from './outbox.js';
import type { Settler } from './settler.js';
import type { SpDirectory } from './sp-directory.js';
import { withinMs } from './within-ms.js';

/** Says nothing about the SP: its breaker does not count it. */
const OUR_FAULT: AttemptResult = Object.freeze({ result: 'failed', error: 'internal: the message could not be made; see the log' });

export interface FanOutParts {
  database: Database;
  clock: Clock;
  lanes: Lanes;
  channels: ChannelTable;
  directory: SpDirectory;
  settler: Settler;
  outbox: Outbox;
  metrics: Metrics;
  log: Logger;
  settings: Config['dispatch'];
}

/**
 * Serves the due deliveries of some logouts: lease them (which writes their attempts), send each through its SP's lane,
 * judge the results, settle them, and see to what comes next.
 */
export class FanOut {
  private readonly underWay = new Set<Promise<void>>();
  private readonly turns = new LeaseTurns((logoutIds) => this.begin(logoutIds));

  private readonly heldBack: HeldBack;

  constructor(private readonly parts: FanOutParts) {
    this.heldBack = new HeldBack(parts);
  }

  /**
   * Returns when all are settled, or after `jobWaitMs`: a slow SP must not hold a place in the queue. What is still under way then goes on
   * under its lease; the lanes bound how much that can be.
   */
  async run(logoutIds: readonly string[]): Promise<void> {
    const sends = await this.turns.take(logoutIds);
    await withinMs(Promise.all(sends), this.parts.settings.jobWaitMs);
  }

  /** Leases what is due and gives it to its lanes. */
  private async begin(logoutIds: readonly string[]): Promise<Begun> {
    const { database, clock, lanes, settings } = this.parts;
    // To turn deliveries away and to fetch them again costs two writes each; when there is more of everything than we can send, waiting costs none.
    await lanes.untilRoom(settings.jobWaitMs);
    const now = clock.now();
    const blocked = lanes.blocked(now.getTime());
    const leaseUntil = new Date(now.getTime() + settings.leaseSeconds * 1_000);
    const leased = await leaseDeliveries(database, logoutIds, now, leaseUntil, blocked);
    if (blocked.length > 0) void this.track(this.heldBack.postpone(logoutIds, blocked, now));
    const sps = await this.parts.directory.load(leased.map((delivery) => delivery.spId));
    const begun = new Map<string, Promise<void>[]>();
    for (const delivery of leased) {
      const sends = begun.get(delivery.logoutId) ?? [];
      sends.push(this.track(this.serve(delivery, sps.get(delivery.spId))));
      begun.set(delivery.logoutId, sends);
    }
    return begun;
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  get inFlight(): number {
    return this.underWay.size;
  }

  private track(work: Promise<void>): Promise<void> {
    const tracked = work
      // A fault of ours, most likely the database is away: the lease runs out and the sweeper brings the delivery again.
      .catch((error: unknown) =>
        this.parts.log.error({ error: messageOf(error) }, 'a delivery could not be served; it will be, when its lease has run out'),
      )
      .finally(() => this.underWay.delete(tracked));
    this.underWay.add(tracked);
    return tracked;
  }

  private async serve(delivery: LeasedDelivery, sp: ServiceProvider | undefined): Promise<void> {
    const step = sp?.enabled ? ladderOf(sp)[delivery.channelIndex] : undefined;
    if (sp === undefined || step === undefined) {
      if (sp === undefined) this.forgetLane(delivery.spId);
      const error =
        sp === undefined
          ? 'the service provider is not registered any more'
          : sp.enabled
            ? 'no channel left'
            : 'the service provider is disabled';
      return this.settle(delivery, sp, 'none', { result: 'unusable', error }, 0);
    }
    const lane = this.parts.lanes.of(sp);
    if (lane.breaker.admits(delivery.startedAt.getTime()) === 'probe') lane.breaker.probe(delivery.leaseUntil.getTime());
    const sent = await lane.run(() => this.send(delivery, sp, step, lane));
    void this.track(this.heldBack.fetchTurnedAway(sp.id, lane));
    if (sent !== null) await this.settle(delivery, sp, step.type, sent.result, sent.durationMs);
  }

  /** Of an SP that is not registered any more: a breaker that was open must not be reported as open for ever. */
  private forgetLane(spId: string): void {
    this.parts.lanes.forget(spId);
    this.parts.metrics.laneGone(spId);
  }

  /** @returns null when the delivery waited so long in its lane that its lease may be over before the answer comes: somebody else will send it. */
  private async send(
    delivery: LeasedDelivery,
    sp: ServiceProvider,
    step: LadderStep,
    lane: Lane,
  ): Promise<{ result: AttemptResult; durationMs: number } | null> {
    const { settings, clock } = this.parts;
    const timeoutMs = sp.timeoutMs ?? settings.attemptTimeoutMs;
    const begin = clock.now().getTime();
    if (begin + timeoutMs >= delivery.leaseUntil.getTime()) return null;
    const result = await this.attempt(delivery, sp, step, timeoutMs);
    const end = clock.now().getTime();
    if (result === OUR_FAULT) return { result, durationMs: end - begin };
    if (result.result === 'failed') lane.breaker.failed(end);
    else if (result.result !== 'unusable' && lane.breaker.succeeded()) void this.track(this.heldBack.wake(sp.id));
    return { result, durationMs: end - begin };
  }

  private async attempt(delivery: LeasedDelivery, sp: ServiceProvider, step: LadderStep, timeoutMs: number): Promise<AttemptResult> {
    const channel = this.parts.channels.find(step.type);
    if (channel === undefined) return { result: 'unusable', error: `this version cannot send over ${step.type}` };
    try {
      return await channel.send({
        logoutId: delivery.logoutId,
        deliveryNumber: delivery.n,
        attemptNumber: delivery.attempt,
        idpId: delivery.idpId,
        spId: sp.id,
        channel: step,
        sid: delivery.tokenSid,
        sub: delivery.tokenSub,
        saml: delivery.saml,
        timeoutMs,
      });
    } catch (error) {
      // Our own fault (a key that cannot be read, say): nothing reached the SP, and a later try may do better.
      this.parts.log.error({ logoutId: delivery.logoutId, sp: sp.id, error: messageOf(error) }, 'a message could not be made');
      return OUR_FAULT;
    }
  }

  private async settle(
    delivery: LeasedDelivery,
    sp: ServiceProvider | undefined,
    channel: UsedChannel,
    result: AttemptResult,
    durationMs: number,
  ): Promise<void> {
    const { settler, outbox, settings, clock, database, metrics } = this.parts;
    const now = clock.now();
    const next = judgeAttempt(delivery, result, sp, settings, now, Math.random());
    const { applied } = await settler.settle({
      logoutId: delivery.logoutId,
      n: delivery.n,
      attempt: {
        n: delivery.attempt,
        channel,
        startedAt: delivery.startedAt,
        durationMs,
        result: result.result,
        httpStatus: result.httpStatus ?? null,
        jti: result.jti ?? null,
        error: result.error ?? null,
      },
      next,
    });
    this.report(delivery, channel, result, durationMs, next);
    if (!applied) return;
    if (next.outcome !== 'retrying') countSettled(metrics, delivery, channel, next);
    if (next.outcome === 'retrying') outbox.schedule(delivery.logoutId, next.nextAttemptAt);
    else if (delivery.layer === 'gateway') outbox.enqueue(await openNextLayer(database, [delivery.logoutId], clock.now()));
  }

  private report(
    delivery: LeasedDelivery,
    channel: UsedChannel,
    result: AttemptResult,
    durationMs: number,
    next: Settlement['next'],
  ): void {
    const { metrics, log } = this.parts;
    if (channel !== 'none') metrics.attemptDone(channel, result.result, durationMs);
    logAttempt(log, {
      logoutId: delivery.logoutId,
      delivery: delivery.n,
      attempt: delivery.attempt,
      sp: delivery.spId,
      idp: delivery.idpId,
      channel,
      result: result.result,
      httpStatus: result.httpStatus,
      durationMs,
      jti: result.jti,
      error: result.error,
      outcome: next.outcome,
      nextAttemptAt: next.outcome === 'retrying' ? next.nextAttemptAt.toISOString() : undefined,
    });
  }
}
