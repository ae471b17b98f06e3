import type { ChannelType, SamlSubject } from '#domain';
import type { LadderStep } from '#registry';

/** One attempt to carry one delivery: everything a channel may need, nothing else. */
export interface Message<Step extends LadderStep = LadderStep> {
  logoutId: string;
  deliveryNumber: number;
  attemptNumber: number;
  idpId: string;
  spId: string;
  channel: Step;
  /** The `sid` by which the SP knows the session; null when it has none. */
  sid: string | null;
  /** The `sub` by which the SP knows the user; null when it has none. */
  sub: string | null;
  /** What a SAML SP knows; null when the session has no NameID, or the SP no SAML channel. */
  saml: SamlSubject | null;
  /** The whole attempt, connecting included, ends by then. */
  timeoutMs: number;
}

/** What a channel found out. What a peer does is data: a channel throws only for our own faults. */
export interface AttemptResult {
  /**
   * `confirmed`: the SP said that the session is gone. `accepted`: it took the message. `attempted`: the browser was sent there, and no answer is
   * expected. `partial`: it said it could not do all.
   * `refused`: a final no on this channel. `failed`: no answer or a passing one; may be tried again.
   * `unusable`: this channel cannot carry this message, nothing was sent.
   */
  result: 'confirmed' | 'accepted' | 'attempted' | 'partial' | 'refused' | 'failed' | 'unusable';
  httpStatus?: number;
  /** Id of the token or message that was sent. */
  jti?: string;
  /** Short, for people; never a secret, at most 500 characters. */
  error?: string;
  /** The peer asked to be left alone for so long (Retry-After). Milliseconds. */
  retryAfterMs?: number;
}

/** A way to tell an SP from the server. */
export interface ServerChannel<Step extends LadderStep = LadderStep> {
  readonly type: ChannelType;
  send(message: Message<Step>): Promise<AttemptResult>;
}

/** What the person's browser is sent to an SP with. `post`: a form that is sent by itself, or by a button. @see SLO-40, SLO-47 */
export type BrowserLeg =
  { method: 'redirect'; url: string } | { method: 'post'; action: string; fields: { name: string; value: string }[] };

/** A leg that is ready to go, under the id by which its answer will name it, if one is asked for; or why there can be none. */
export type PreparedLeg =
  { kind: 'ready'; messageId: string; expectsAnswer: boolean; leg: BrowserLeg } | { kind: 'unusable'; error: string };

/** A way to tell an SP through the person's browser: prepared here, carried out by a page, answered at intake. */
export interface BrowserChannel<Step extends LadderStep = LadderStep> {
  readonly type: ChannelType;
  prepare(message: Message<Step>): Promise<PreparedLeg>;
}
