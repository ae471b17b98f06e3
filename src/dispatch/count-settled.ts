import { gradeOf } from '#domain';
import type { ChannelType } from '#domain';
import type { FinalState } from '#ledger';
import type { Metrics } from '#platform/telemetry';

/** The channel of an attempt; `none` when there was none left to use. */
export type UsedChannel = ChannelType | 'none';

/**
 * Counts a delivery that became final, and, where its session is known to be gone or promised to be, how long that one was exposed. Only for what was
 * applied: of two that settle one delivery, it counts once.
 */
export function countSettled(
  metrics: Metrics,
  delivery: { requestedAt: Date; sessionExpiresAt: Date | null },
  channel: UsedChannel,
  { outcome, settledAt }: FinalState,
): void {
  metrics.deliverySettled(channel === 'none' ? null : channel, outcome);
  const grade = gradeOf(outcome);
  if (grade !== 'proven' && grade !== 'promised') return;
  const end = Math.min(settledAt.getTime(), delivery.sessionExpiresAt?.getTime() ?? Infinity);
  metrics.sessionWasExposed((end - delivery.requestedAt.getTime()) / 1_000);
}
