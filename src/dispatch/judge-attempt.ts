import type { AttemptResult } from '#channels';
import type { LeasedDelivery, Settlement } from '#ledger';
import { ladderOf } from '#registry';
import type { ServiceProvider } from '#registry';
import type { Final } from './count-settled.js';
import { retryDelayMs } from './retry-schedule.js';
import type { RetrySettings } from './retry-schedule.js';

/** A channel is given up for the next one of the ladder after so many tries: the fast phase of the schedule. */
export const TRIES_BEFORE_NEXT_CHANNEL = 4;

/**
 * What follows from the result of one attempt: the whole retry policy in one place.
 * @param sp the SP as it is registered now; undefined when it is not registered any more.
 * @param random a number in [0, 1) for the jitter.
 */
export function judgeAttempt(
  delivery: LeasedDelivery,
  result: AttemptResult,
  sp: ServiceProvider | undefined,
  settings: RetrySettings,
  now: Date,
  random: number,
): Settlement['next'] {
  const detail = result.error ?? null;
  switch (result.result) {
    case 'confirmed':
    case 'accepted':
    case 'partial':
      return { outcome: result.result, settledAt: now, detail };
    case 'refused':
      return nextChannel(delivery, sp, now, detail) ?? { outcome: 'refused', settledAt: now, detail };
    case 'unusable':
      return nextChannel(delivery, sp, now, detail) ?? { outcome: 'skipped', settledAt: now, detail };
    case 'failed':
      return afterFailure(delivery, result, sp, settings, now, random);
  }
}

function afterFailure(
  delivery: LeasedDelivery,
  result: AttemptResult,
  sp: ServiceProvider | undefined,
  settings: RetrySettings,
  now: Date,
  random: number,
): Settlement['next'] {
  const detail = result.error ?? null;
  const gaveUp = giveUp(delivery, now, detail);
  if (gaveUp) return gaveUp;
  if (delivery.triesOnChannel >= TRIES_BEFORE_NEXT_CHANNEL) {
    const next = nextChannel(delivery, sp, now, detail);
    if (next) return next;
  }
  const delayMs = retryDelayMs(settings, delivery.triesOnChannel, result.retryAfterMs, random);
  return { outcome: 'retrying', nextAttemptAt: notBeyondItsEnd(delivery, new Date(now.getTime() + delayMs)), detail };
}

/** The parts of a delivery that say until when it is worth trying. */
export interface DeliveryBounds {
  deadlineAt: Date;
  sessionExpiresAt: Date | null;
}

/** The final outcome of a delivery whose time is over, or null while it is not. */
export function giveUp(delivery: DeliveryBounds, now: Date, detail: string | null): Final | null {
  if (delivery.sessionExpiresAt !== null && delivery.sessionExpiresAt <= now) return { outcome: 'expired', settledAt: now, detail };
  if (delivery.deadlineAt <= now) return { outcome: 'unreachable', settledAt: now, detail };
  return null;
}

/** The last try comes when the session, or the deadline, ends: not later. */
export function notBeyondItsEnd(delivery: DeliveryBounds, at: Date): Date {
  const ends = [at, delivery.deadlineAt, ...(delivery.sessionExpiresAt === null ? [] : [delivery.sessionExpiresAt])];
  return new Date(Math.min(...ends.map((end) => end.getTime())));
}

function nextChannel(
  delivery: LeasedDelivery,
  sp: ServiceProvider | undefined,
  now: Date,
  detail: string | null,
): Settlement['next'] | null {
  const channelIndex = delivery.channelIndex + 1;
  const channel = sp?.enabled ? ladderOf(sp)[channelIndex]?.type : undefined;
  return channel === undefined ? null : { outcome: 'retrying', nextAttemptAt: now, detail, channelIndex, channel };
}
