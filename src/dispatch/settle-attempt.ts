import type { AttemptResult } from '#channels';
import type { Clock } from '#domain';
import { isFinal, openNextLayer } from '#ledger';
import type { CompletedLogout, FinalState, LeasedDelivery, OpenState, Settlement } from '#ledger';
import type { Database } from '#platform/database';
import { logAttempt } from '#platform/telemetry';
import type { Logger, Metrics } from '#platform/telemetry';
import type { ServiceProvider } from '#registry';
import { countSettled } from './count-settled.js';
import type { UsedChannel } from './count-settled.js';
import { judgeAttempt, judgeBrowserWait } from './judge-attempt.js';
import type { JudgeSettings } from './judge-attempt.js';
import type { Outbox } from './outbox.js';
import type { Settler } from './settler.js';

export interface SettleAttemptParts {
  database: Database;
  clock: Clock;
  settler: Settler;
  outbox: Outbox;
  metrics: Metrics;
  log: Logger;
  settings: JudgeSettings;
}

/** A settlement of an attempt that was made. */
export type EndedAttempt = Settlement & { attempt: NonNullable<Settlement['attempt']> };

/** The end of an attempt, whoever carried it: judge it, write it down, say it, and see to what comes next. */
export class SettleAttempt {
  constructor(private readonly parts: SettleAttemptParts) {}

  async settle(
    delivery: LeasedDelivery,
    sp: ServiceProvider | undefined,
    channel: UsedChannel,
    result: AttemptResult,
    durationMs: number,
  ): Promise<void> {
    const settlement = this.judge(delivery, sp, channel, result, durationMs);
    const { applied } = await this.parts.settler.settle(settlement);
    await this.followUp(delivery, settlement, applied);
  }

  /** What follows from a result, not written yet. Whoever writes it in a transaction of his own calls {@link followUp} when that has committed. */
  judge(
    delivery: LeasedDelivery,
    sp: ServiceProvider | undefined,
    channel: UsedChannel,
    result: AttemptResult,
    durationMs: number,
  ): EndedAttempt {
    return {
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
      next: judgeAttempt(delivery, result, sp, this.parts.settings, this.parts.clock.now(), Math.random()),
    };
  }

  /** @param applied false when somebody else had settled the delivery: then only the attempt is told of. */
  async followUp(
    delivery: LeasedDelivery,
    { attempt, next }: EndedAttempt,
    applied: boolean,
    completed: readonly CompletedLogout[] = [],
  ): Promise<void> {
    this.report(delivery, attempt, next);
    this.parts.settler.announce(completed);
    if (applied) await this.goOn(delivery, attempt.channel, next);
  }

  /** Ends the wait of a delivery for a browser. @param lost the leg from which the last one has not come back, where one was sent. */
  async endBrowserWait(
    delivery: LeasedDelivery,
    sp: ServiceProvider | undefined,
    channel: UsedChannel,
    lost: { messageId: string; startedAt: Date } | null,
  ): Promise<void> {
    const { settler, settings, clock } = this.parts;
    const now = clock.now();
    const next = judgeBrowserWait(delivery, sp, settings, now, lost !== null);
    const { logoutId, n } = delivery;
    if (lost === null) {
      const { applied } = await settler.settle({ logoutId, n, attempt: null, next });
      if (applied) await this.goOn(delivery, 'none', next);
      return;
    }
    const sent = { ...delivery, startedAt: lost.startedAt };
    const result: AttemptResult = { result: 'failed', jti: lost.messageId, error: 'the browser was sent there and went away' };
    const ended = { ...this.judge(sent, sp, channel, result, now.getTime() - lost.startedAt.getTime()), next };
    const { applied } = await settler.settle(ended);
    await this.followUp(sent, ended, applied);
  }

  private async goOn(delivery: LeasedDelivery, channel: UsedChannel, next: FinalState | OpenState): Promise<void> {
    const { outbox, metrics, database, clock } = this.parts;
    if (!isFinal(next)) {
      // A wait for a browser needs no job: the page, or at its end the sweeper, sees to it.
      if (next.outcome === 'retrying') outbox.schedule(delivery.logoutId, next.nextAttemptAt);
      return;
    }
    countSettled(metrics, delivery, channel, next);
    if (delivery.layer === 'gateway') outbox.enqueue(await openNextLayer(database, [delivery.logoutId], clock.now()));
  }

  private report(delivery: LeasedDelivery, attempt: EndedAttempt['attempt'], next: FinalState | OpenState): void {
    const { metrics, log } = this.parts;
    const { channel, result, durationMs } = attempt;
    if (channel !== 'none') metrics.attemptDone(channel, result, durationMs);
    logAttempt(log, {
      logoutId: delivery.logoutId,
      delivery: delivery.n,
      attempt: delivery.attempt,
      sp: delivery.spId,
      idp: delivery.idpId,
      channel,
      result,
      httpStatus: attempt.httpStatus ?? undefined,
      durationMs,
      jti: attempt.jti ?? undefined,
      error: attempt.error ?? undefined,
      outcome: next.outcome,
      nextAttemptAt: isFinal(next) ? undefined : next.nextAttemptAt.toISOString(),
    });
  }
}
