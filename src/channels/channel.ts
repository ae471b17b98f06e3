import type { ChannelType } from '#domain';
import type { ChannelConfig } from '#registry';

/** One attempt to carry one delivery: everything a channel may need, nothing else. */
export interface Message<Config extends ChannelConfig = ChannelConfig> {
  logoutId: string;
  deliveryNumber: number;
  attemptNumber: number;
  idpId: string;
  spId: string;
  channel: Config;
  /** The `sid` by which the SP knows the session; null when it has none. */
  sid: string | null;
  /** The `sub` by which the SP knows the user; null when it has none. */
  sub: string | null;
  /** The whole attempt, connecting included, ends by then. */
  timeoutMs: number;
}

/** What a channel found out. What a peer does is data: a channel throws only for our own faults. */
export interface AttemptResult {
  /**
   * `confirmed`: the SP said that the session is gone. `accepted`: it took the message. `partial`: it said it could not do all.
   * `refused`: a final no on this channel. `failed`: no answer or a passing one; may be tried again.
   * `unusable`: this channel cannot carry this message, nothing was sent.
   */
  result: 'confirmed' | 'accepted' | 'partial' | 'refused' | 'failed' | 'unusable';
  httpStatus?: number;
  /** Id of the token that was sent. */
  jti?: string;
  /** Short, for people; never a secret, at most 500 characters. */
  error?: string;
  /** The peer asked to be left alone for so long (Retry-After). Milliseconds. */
  retryAfterMs?: number;
}

/** A way to tell an SP from the server. The other kind, browser channels, is prepared here and carried out by a page. */
export interface ServerChannel<Config extends ChannelConfig = ChannelConfig> {
  readonly type: ChannelType;
  send(message: Message<Config>): Promise<AttemptResult>;
}
