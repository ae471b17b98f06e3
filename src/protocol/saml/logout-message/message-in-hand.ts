import type { IncomingMessage, MessageExpectation } from '../types.js';

/** A message under judgement. */
export interface MessageInHand {
  readonly incoming: IncomingMessage;
  /** At first what came; from the check of the signature on, the octets that were signed, parsed anew, and nothing else. @see SLO-86 */
  root: Element;
}

/** Judges one thing, and throws a SamlMessageRefused when it is not as it must be. */
export type LogoutMessageCheck = (message: MessageInHand, expected: MessageExpectation) => void;
