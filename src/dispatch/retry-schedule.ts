import type { Config } from '#platform/config';

export type RetrySettings = Pick<Config['dispatch'], 'retryDelaysMs' | 'retryJitter' | 'retryAfterLimitSeconds'>;

/**
 * How long to wait after the n-th try of a channel: a fast phase for the person who waits, then a slow one for the ledger. The last delay repeats.
 * Jitter spreads what failed together. A peer's Retry-After is honoured up to a limit.
 * @param tries how often the channel has been tried, at least 1.
 * @param random a number in [0, 1).
 * @returns milliseconds.
 * @see BCL-27
 */
export function retryDelayMs(settings: RetrySettings, tries: number, retryAfterMs: number | undefined, random: number): number {
  const delays = settings.retryDelaysMs;
  const base = delays[Math.min(tries, delays.length) - 1]!;
  const spread = base * (1 + settings.retryJitter * (2 * random - 1));
  const asked = Math.min(retryAfterMs ?? 0, settings.retryAfterLimitSeconds * 1_000);
  return Math.round(Math.max(spread, asked));
}
