import type { AttemptResult } from '#channels';
import { messageOf } from '#domain';
import type { Clock } from '#domain';
import { findUnansweredRequest, leaseDeliveries } from '#ledger';
import type { LeasedDelivery } from '#ledger';
import type { Config } from '#platform/config';
import type { Database } from '#platform/database';
import type { Logger, Metrics } from '#platform/telemetry';
import { ladderOf, needsBrowser } from '#registry';
import type { LadderStep, ServiceProvider } from '#registry';
import type { ChannelTable } from './channel-table.js';
import { HeldBack } from './held-back.js';
import type { JudgeSettings } from './judge-attempt.js';
import type { Lane } from './lane.js';
import type { Lanes } from './lanes.js';
import { messageFor } from './message-for.js';
import { LeaseTurns } from './lease-turns.js';
import type { Begun } from './lease-turns.js';
import type { Outbox } from './outbox.js';
import type { Settler } from './settler.js';
import type { SettleAttempt } from './settle-attempt.js';
import type { SpDirectory } from './sp-directory.js';
import { withinMs } from './within-ms.js';

/** Says nothing about the SP: its breaker does not count it. */
const OUR_FAULT: AttemptResult = Object.freeze({ result: 'failed', error: 'internal: the message could not be made; see the log' });

/** Of a delivery that was replayed, or whose SP has been registered anew: it has to wait for a browser first. */
const NEEDS_BROWSER: AttemptResult = Object.freeze({ result: 'unusable', error: 'it needs the browser of the person' });

export interface FanOutParts {
  database: Database;
  clock: Clock;
  lanes: Lanes;
  channels: ChannelTable;
  directory: SpDirectory;
  settler: Settler;
  attempts: SettleAttempt;
  outbox: Outbox;
  metrics: Metrics;
  log: Logger;
  settings: Config['dispatch'] & JudgeSettings;
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
    const { attempts, database } = this.parts;
    const step = sp?.enabled ? ladderOf(sp)[delivery.channelIndex] : undefined;
    if (delivery.outcome === 'awaiting-browser') {
      return attempts.endBrowserWait(delivery, sp, step?.type ?? 'none', await findUnansweredRequest(database, delivery));
    }
    if (step !== undefined && needsBrowser(step)) {
      await attempts.settle(delivery, sp, step.type, NEEDS_BROWSER, 0);
      return;
    }
    if (sp === undefined || step === undefined) {
      if (sp === undefined) this.forgetLane(delivery.spId);
      const error =
        sp === undefined
          ? 'the service provider is not registered any more'
          : sp.enabled
            ? 'no channel left'
            : 'the service provider is disabled';
      await attempts.settle(delivery, sp, 'none', { result: 'unusable', error }, 0);
      return;
    }
    const lane = this.parts.lanes.of(sp);
    if (lane.breaker.admits(delivery.startedAt.getTime()) === 'probe') lane.breaker.probe(delivery.leaseUntil.getTime());
    const sent = await lane.run(() => this.send(delivery, sp, step, lane));
    void this.track(this.heldBack.fetchTurnedAway(sp.id, lane));
    if (sent !== null) await attempts.settle(delivery, sp, step.type, sent.result, sent.durationMs);
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
      return await channel.send(messageFor(delivery, sp, step, timeoutMs));
    } catch (error) {
      // Our own fault (a key that cannot be read, say): nothing reached the SP, and a later try may do better.
      this.parts.log.error({ logoutId: delivery.logoutId, sp: sp.id, error: messageOf(error) }, 'a message could not be made');
      return OUR_FAULT;
    }
  }
}
