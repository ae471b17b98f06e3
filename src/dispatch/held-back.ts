import type { Clock } from '#domain';
import { findBlockedDeliveries, postponeDeliveries, wakeDeliveriesOf } from '#ledger';
import type { BlockedDelivery } from '#ledger';
import type { Config } from '#platform/config';
import type { Database } from '#platform/database';
import type { Metrics } from '#platform/telemetry';
import { countSettled } from './count-settled.js';
import { giveUp, notBeyondItsEnd } from './judge-attempt.js';
import type { Lane } from './lane.js';
import type { Lanes } from './lanes.js';
import type { Outbox } from './outbox.js';
import type { Settler } from './settler.js';

const FAILING = 'not tried: the service provider failed several times in a row';
const LANE_FULL = 'not tried: its lane is full';

/** So many deliveries are woken at a time when an SP answers again. */
const WAKE_BATCH = 500;
/** However old a delivery is, it is looked at again after this. Milliseconds. */
const LONGEST_WAIT_MS = 600_000;
const SHORTEST_WAIT_MS = 100;

export interface HeldBackParts {
  database: Database;
  clock: Clock;
  lanes: Lanes;
  settler: Settler;
  outbox: Outbox;
  metrics: Metrics;
  settings: Pick<Config['dispatch'], 'retryJitter'>;
}

/** Deliveries that are due and cannot be sent now: their SP's breaker is open, or its lane is full. */
export class HeldBack {
  constructor(private readonly parts: HeldBackParts) {}

  /**
   * Moves them to a later time, without an attempt. They come back when the breaker lets a try through, and ever later the older they are, so that a long
   * outage costs little; an SP that answers again wakes them all ({@link wake}), and a lane that has room again those that it turned away
   * ({@link fetchTurnedAway}). Those whose time is over are given up.
   */
  async postpone(logoutIds: readonly string[], blocked: readonly string[], now: Date): Promise<void> {
    const { database, lanes, outbox } = this.parts;
    const deliveries = await findBlockedDeliveries(database, logoutIds, now, blocked);
    const later: { logoutId: string; n: number; at: Date; detail: string }[] = [];
    const full = new Set<string>();
    for (const delivery of deliveries) {
      const detail = lanes.find(delivery.spId)?.breaker.isOpen ? FAILING : LANE_FULL;
      if (await this.isGivenUp(delivery, now, detail)) continue;
      later.push({ logoutId: delivery.logoutId, n: delivery.n, at: this.whenNext(delivery, now), detail });
      if (detail === LANE_FULL) full.add(delivery.spId);
    }
    await postponeDeliveries(database, later, now);
    for (const { logoutId, at } of later) outbox.schedule(logoutId, at);
    for (const spId of full) {
      const lane = lanes.find(spId);
      lane?.turnAway();
      // It may have emptied while this was written down.
      if (lane) await this.fetchTurnedAway(spId, lane);
    }
  }

  /** A lane that has room again takes some of those that it turned away, and asks again as long as it finds any. */
  async fetchTurnedAway(spId: string, lane: Lane): Promise<void> {
    const { database, clock, outbox } = this.parts;
    const room = lane.takeRoom(clock.now().getTime());
    if (room === 0) return;
    const logoutIds = await wakeDeliveriesOf(database, spId, clock.now(), room, LANE_FULL);
    if (logoutIds.length > 0) lane.turnAway();
    outbox.enqueue(logoutIds);
  }

  /** The SP answers again: whatever waits for it is due now. */
  async wake(spId: string): Promise<void> {
    const { database, clock, outbox } = this.parts;
    for (let woken: string[]; (woken = await wakeDeliveriesOf(database, spId, clock.now(), WAKE_BATCH)).length > 0;) outbox.enqueue(woken);
  }

  private async isGivenUp(delivery: BlockedDelivery, now: Date, detail: string): Promise<boolean> {
    const over = giveUp(delivery, now, detail);
    if (over === null) return false;
    const { applied } = await this.parts.settler.settle({ logoutId: delivery.logoutId, n: delivery.n, attempt: null, next: over });
    if (applied) countSettled(this.parts.metrics, delivery, 'none', over);
    return true;
  }

  private whenNext(delivery: BlockedDelivery, now: Date): Date {
    const age = now.getTime() - delivery.requestedAt.getTime();
    const untilProbe = (this.parts.lanes.find(delivery.spId)?.breaker.opensAt ?? 0) - now.getTime();
    const wait = Math.max(untilProbe, Math.min(age / 2, LONGEST_WAIT_MS), SHORTEST_WAIT_MS);
    return notBeyondItsEnd(delivery, new Date(now.getTime() + wait * (1 + Math.random() * this.parts.settings.retryJitter)));
  }
}
