import type { AttemptResult, BrowserChannel, BrowserLeg, PreparedLeg } from '#channels';
import { messageOf } from '#domain';
import type { ChannelType, Clock } from '#domain';
import {
  findLostLegs,
  leaseBrowserDelivery,
  readAttemptedDelivery,
  recordBrowserRequest,
  settleDeliveries,
  takeBrowserRequest,
} from '#ledger';
import type { LeasedDelivery } from '#ledger';
import type { Database } from '#platform/database';
import type { Logger } from '#platform/telemetry';
import { ladderOf, loadServiceProviders } from '#registry';
import type { ServiceProvider } from '#registry';
import { messageFor } from './message-for.js';
import type { SettleAttempt } from './settle-attempt.js';
import type { SpDirectory } from './sp-directory.js';

export interface BrowserLegsParts {
  database: Database;
  clock: Clock;
  channels: ReadonlyMap<ChannelType, BrowserChannel>;
  directory: SpDirectory;
  attempts: SettleAttempt;
  log: Logger;
  settings: {
    /** How long the browser may be at one SP. */
    legTimeoutMs: number;
    /** How long an answer is taken after its message went out: as long as the delivery may be open. */
    answerTakenForMs: number;
  };
}

/** The browser that carries a leg: one person's, on its way through one logout. */
export interface Flow {
  id: string;
  logoutId: string;
}

/**
 * The part of dispatch that needs a person's browser. It arms a leg (lease, attempt, message, in this order, so that nothing is sent that the ledger
 * does not know) and ends it: with the SP's answer, which comes at intake on another connection, or without one, when the browser has not come back.
 */
export class BrowserLegs {
  constructor(private readonly parts: BrowserLegsParts) {}

  /** Where to send the browser now for this delivery; null when it needs none any more, or its channel cannot be used. */
  async begin(flow: Flow, n: number): Promise<BrowserLeg | null> {
    const { database, clock, settings, directory } = this.parts;
    const now = clock.now();
    const leaseUntil = new Date(now.getTime() + settings.legTimeoutMs);
    const delivery = await leaseBrowserDelivery(database, flow.logoutId, n, now, leaseUntil);
    if (delivery === null) return null;
    const sp = (await directory.load([delivery.spId])).get(delivery.spId);
    const prepared = await this.prepare(delivery, sp);
    if ('result' in prepared) {
      await this.parts.attempts.settle(delivery, sp, prepared.channel, prepared.result, 0);
      return null;
    }
    const forgetAt = new Date(now.getTime() + settings.answerTakenForMs);
    await recordBrowserRequest(database, { id: prepared.messageId, delivery, flowId: flow.id, forgetAt });
    if (!prepared.expectsAnswer) {
      const result: AttemptResult = { result: 'attempted', jti: prepared.messageId };
      await this.parts.attempts.settle(delivery, sp, this.channelOf(delivery, sp), result, 0);
    }
    return prepared.leg;
  }

  /**
   * An SP's answer to a message that went out with a browser, and that has been verified to be this SP's.
   * @param result what the answer says.
   * @returns false when no such message of that SP is outstanding. @see SLO-13
   */
  async answered(
    answer: { idpId: string; spId: string; inResponseTo: string },
    result: Pick<AttemptResult, 'result' | 'error'>,
  ): Promise<boolean> {
    const { database, clock, attempts } = this.parts;
    const now = clock.now();
    // In one transaction: were the answer taken first and we died, it would be refused when it comes again.
    const taken = await database.transaction(async (sql) => {
      const request = await takeBrowserRequest(sql, answer.inResponseTo, answer.idpId, answer.spId, now);
      const delivery = request && (await readAttemptedDelivery(sql, request));
      if (!request || !delivery) return request && { delivery: null };
      const sp = (await loadServiceProviders(sql, [delivery.spId])).get(delivery.spId);
      const durationMs = now.getTime() - request.startedAt.getTime();
      const ended = attempts.judge(delivery, sp, this.channelOf(delivery, sp), { ...result, jti: answer.inResponseTo }, durationMs);
      const { settled, completed } = await settleDeliveries(sql, [ended], now);
      return { delivery, ended, applied: settled[0]!.applied, completed };
    });
    if (taken?.delivery) await attempts.followUp(taken.delivery, taken.ended, taken.applied, taken.completed);
    return taken !== null;
  }

  /** Ends the legs of a flow from which the browser has not come back. Their answers are still taken, should they come. */
  async closeLost(flow: Flow): Promise<void> {
    const { database, clock, directory, settings } = this.parts;
    const lost = await findLostLegs(database, flow.logoutId, flow.id, clock.now());
    if (lost.length === 0) return;
    const sps = await directory.load(lost.map((delivery) => delivery.spId));
    const error = `the browser was sent there and brought no answer within ${settings.legTimeoutMs} ms`;
    for (const { messageId, ...delivery } of lost) {
      const sp = sps.get(delivery.spId);
      const result: AttemptResult = { result: 'failed', jti: messageId, error };
      await this.parts.attempts.settle(delivery, sp, this.channelOf(delivery, sp), result, settings.legTimeoutMs);
    }
  }

  private async prepare(
    delivery: LeasedDelivery,
    sp: ServiceProvider | undefined,
  ): Promise<Extract<PreparedLeg, { kind: 'ready' }> | { result: AttemptResult; channel: ChannelType | 'none' }> {
    const { channels, log, settings } = this.parts;
    const step = sp?.enabled ? ladderOf(sp)[delivery.channelIndex] : undefined;
    const channel = step && channels.get(step.type);
    if (sp === undefined || step === undefined || channel === undefined) {
      return { result: { result: 'unusable', error: 'the service provider has no such channel any more' }, channel: 'none' };
    }
    try {
      const prepared = await channel.prepare(messageFor(delivery, sp, step, settings.legTimeoutMs));
      if (prepared.kind === 'ready') return prepared;
      return { result: { result: 'unusable', error: prepared.error }, channel: step.type };
    } catch (error) {
      log.error({ logoutId: delivery.logoutId, sp: sp.id, error: messageOf(error) }, 'a message could not be made');
      return { result: { result: 'failed', error: 'internal: the message could not be made; see the log' }, channel: step.type };
    }
  }

  private channelOf(delivery: LeasedDelivery, sp: ServiceProvider | undefined): ChannelType | 'none' {
    return (sp && ladderOf(sp)[delivery.channelIndex]?.type) ?? 'none';
  }
}
