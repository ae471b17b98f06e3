import { SamlMessageRefused } from '../../saml-message-refused.js';
import { attributeOf } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { utcOf } from '../xml-types.js';

/** Issued a short while ago, at most a little ahead of our clock, and not run out. A request without NotOnOrAfter runs out by its age alone. @see SLO-5, SLO-88 */
export const itIsTimely: LogoutMessageCheck = ({ root }, { now, maxAgeSeconds, skewSeconds }) => {
  const issued = utcOf(attributeOf(root, 'IssueInstant') ?? '')!;
  const age = (now.getTime() - issued.getTime()) / 1_000;
  if (age > maxAgeSeconds) {
    throw new SamlMessageRefused(
      'expired',
      'SLO-88',
      `the message was issued ${age} s ago, at most ${maxAgeSeconds} s are taken; is a clock wrong?`,
    );
  }
  if (age < -skewSeconds) {
    throw new SamlMessageRefused(
      'not_yet_valid',
      'SLO-88',
      `IssueInstant is ${-age} s ahead, at most ${skewSeconds} s are taken; is a clock wrong?`,
    );
  }
  const notOnOrAfter = utcOf(attributeOf(root, 'NotOnOrAfter') ?? '');
  if (notOnOrAfter !== null && notOnOrAfter <= now) {
    throw new SamlMessageRefused('expired', 'SLO-88', `NotOnOrAfter passed ${(now.getTime() - notOnOrAfter.getTime()) / 1_000} s ago`);
  }
};
