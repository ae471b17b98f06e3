import type { ChannelType, Outcome } from '#domain';
import type { Logger } from 'pino';

/** All that is known of one attempt, in one line: enough to answer "what happened to this logout at this SP" from the log alone. */
export interface WideAttemptLine {
  logoutId: string;
  /** Number of the delivery in its logout. */
  delivery: number;
  /** Number of the attempt in its delivery, from 1. */
  attempt: number;
  sp: string;
  idp: string;
  /** `none` when no channel was left. */
  channel: ChannelType | 'none';
  /** As the channel found it (`confirmed`, `accepted`, `partial`, `refused`, `failed`, `unusable`). */
  result: string;
  httpStatus?: number;
  durationMs: number;
  /** Id of the token that was sent; the token itself is never logged. */
  jti?: string;
  error?: string;
  /** What became of the delivery with it. */
  outcome: Outcome;
  /** When it will be tried again; missing when it will not. ISO 8601. */
  nextAttemptAt?: string;
}

/** Writes the line: `info` when the SP has been told, `warn` when not. */
export function logAttempt(logger: Logger, line: WideAttemptLine): void {
  const told = line.result === 'confirmed' || line.result === 'accepted';
  logger[told ? 'info' : 'warn'](line, 'attempt');
}
