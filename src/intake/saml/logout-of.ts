import type { VerifiedSamlLogout } from '#coordinator';
import type { VerifiedLogoutRequest } from '#protocol/saml';
import { causeOf } from './cause-of.js';
import type { Party } from './party.js';

/** A peer may name any year: what it knows of is remembered for a day. Milliseconds. */
const LONGEST_MEMORY_MS = 86_400_000;

/** What a LogoutRequest of this party asks for. @see SLO-23, SLO-24, SLO-89 */
export function logoutOf(idpId: string, party: Party, request: VerifiedLogoutRequest, now: Date): VerifiedSamlLogout {
  const { issuer, id, forgetAt, nameId, sessionIndexes, reason, notOnOrAfter } = request;
  const { spId, mayEndRoot } = party;
  const longest = now.getTime() + LONGEST_MEMORY_MS;
  return {
    idpId,
    issuer,
    messageId: id,
    forgetAt,
    sp: spId === null ? null : { id: spId, mayEndRoot },
    nameId,
    sessionIndexes,
    cause: causeOf(reason, spId === null),
    ...(notOnOrAfter === null ? {} : { rememberUntil: new Date(Math.min(notOnOrAfter.getTime(), longest)) }),
  };
}
