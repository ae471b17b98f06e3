import type { AttemptResult } from '#channels';
import type { FinalState, LeasedDelivery, OpenState } from '#ledger';
import { ladderOf, needsBrowser } from '#registry';
import type { LadderStep, ServiceProvider } from '#registry';
import { retryDelayMs } from './retry-schedule.js';
import type { RetrySettings } from './retry-schedule.js';

/** A channel is given up for the next one of the ladder after so many tries: the fast phase of the schedule. */
export const TRIES_BEFORE_NEXT_CHANNEL = 4;

export interface JudgeSettings extends RetrySettings {
  /** How long a delivery waits for a browser. Milliseconds. */
  browserWaitMs: number;
}

/**
 * What follows from the result of one attempt: the whole retry policy in one place.
 * @param sp the SP as it is registered now; undefined when it is not registered any more.
 * @param random a number in [0, 1) for the jitter.
 */
export function judgeAttempt(
  delivery: LeasedDelivery,
  result: AttemptResult,
  sp: ServiceProvider | undefined,
  settings: JudgeSettings,
  now: Date,
  random: number,
): FinalState | OpenState {
  const detail = result.error ?? null;
  switch (result.result) {
    case 'confirmed':
    case 'accepted':
    case 'attempted':
    case 'partial':
      return { outcome: result.result, settledAt: now, detail };
    case 'refused':
      return nextChannel(delivery, sp, settings, now, detail) ?? { outcome: 'refused', settledAt: now, detail };
    case 'unusable':
      if (delivery.outcome !== 'awaiting-browser' && standsOnBrowserStep(delivery, sp))
        return awaitBrowser(delivery, settings, now, detail);
      return nextChannel(delivery, sp, settings, now, detail) ?? { outcome: 'skipped', settledAt: now, detail };
    case 'failed':
      return afterFailure(delivery, result, sp, settings, now, random);
  }
}

function afterFailure(
  delivery: LeasedDelivery,
  result: AttemptResult,
  sp: ServiceProvider | undefined,
  settings: JudgeSettings,
  now: Date,
  random: number,
): FinalState | OpenState {
  const detail = result.error ?? null;
  const gaveUp = giveUp(delivery, now, detail);
  if (gaveUp) return gaveUp;
  // The browser did not bring an answer. Whether it is sent again is for the page, or the person; the delivery goes on waiting for one.
  if (delivery.outcome === 'awaiting-browser') return { outcome: 'awaiting-browser', nextAttemptAt: delivery.dueAt, detail };
  if (delivery.triesOnChannel >= TRIES_BEFORE_NEXT_CHANNEL) {
    // Not to a channel that needs a browser: this SP may come back and be told without help, and a browser may never come.
    const next = nextChannel(delivery, sp, settings, now, detail, (step) => !needsBrowser(step));
    if (next) return next;
  }
  const delayMs = retryDelayMs(settings, delivery.triesOnChannel, result.retryAfterMs, random);
  return { outcome: 'retrying', nextAttemptAt: notBeyondItsEnd(delivery, new Date(now.getTime() + delayMs)), detail };
}

/**
 * What becomes of a delivery for which no browser came in time: a channel without one, if there is any left.
 * @param wasSent a browser was sent to the SP last, and went away.
 */
export function judgeBrowserWait(
  delivery: LeasedDelivery,
  sp: ServiceProvider | undefined,
  settings: JudgeSettings,
  now: Date,
  wasSent: boolean,
): FinalState | OpenState {
  const tried = wasSent || delivery.triesOnChannel > 1;
  const detail = tried
    ? 'the browser was sent there, and no answer came back'
    : 'it needs the browser of the person, and none came in time';
  const next = nextChannel(delivery, sp, settings, now, detail, (step) => !needsBrowser(step));
  if (next) return next;
  if (delivery.sessionExpiresAt !== null && delivery.sessionExpiresAt <= now) return { outcome: 'expired', settledAt: now, detail };
  return { outcome: tried ? 'unreachable' : 'skipped', settledAt: now, detail };
}

/** The parts of a delivery that say until when it is worth trying. */
export interface DeliveryBounds {
  deadlineAt: Date;
  sessionExpiresAt: Date | null;
}

/** The final outcome of a delivery whose time is over, or null while it is not. */
export function giveUp(delivery: DeliveryBounds, now: Date, detail: string | null): FinalState | null {
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
  settings: JudgeSettings,
  now: Date,
  detail: string | null,
  suits: (step: LadderStep) => boolean = () => true,
): OpenState | null {
  if (!sp?.enabled) return null;
  const ladder = ladderOf(sp);
  const channelIndex = ladder.findIndex((step, at) => at > delivery.channelIndex && suits(step) && canName(step, delivery));
  const step = ladder[channelIndex];
  if (step === undefined) return null;
  const moved = { channelIndex, channel: step.type };
  if (needsBrowser(step)) return { ...awaitBrowser(delivery, settings, now, detail), ...moved };
  return { outcome: 'retrying', nextAttemptAt: now, detail, ...moved };
}

/** No binding of SAML helps where there is no NameID to send. @see SLO-7 */
function canName(step: LadderStep, delivery: LeasedDelivery): boolean {
  return step.type === 'oidc-backchannel' || delivery.saml !== null;
}

function standsOnBrowserStep(delivery: LeasedDelivery, sp: ServiceProvider | undefined): boolean {
  const step = sp?.enabled ? ladderOf(sp)[delivery.channelIndex] : undefined;
  return step !== undefined && needsBrowser(step);
}

function awaitBrowser(delivery: LeasedDelivery, settings: JudgeSettings, now: Date, detail: string | null): OpenState {
  const until = notBeyondItsEnd(delivery, new Date(now.getTime() + settings.browserWaitMs));
  return { outcome: 'awaiting-browser', nextAttemptAt: until, detail };
}
