import type { LogoutTokenExpectation, LogoutTokenInHand } from './expectation.js';
import { LOGOUT_TOKEN_CHECKS } from './logout-token-checks.js';

/** What a valid logout token says. At least one of `sid` and `sub` is there. */
export interface VerifiedLogoutToken {
  issuer: string;
  /** That session. @see BCL-17 */
  sid?: string;
  /** Without `sid`: every session of the user. */
  sub?: string;
  /** Unique per issuer. @see BCL-42 */
  jti: string;
  /** Seconds since the epoch. */
  iat: number;
  exp?: number;
  /** From then on a second copy is refused for its age alone, and the `jti` need not be kept. */
  forgetAt: Date;
}

/**
 * Judges a logout token by all of LOGOUT_TOKEN_CHECKS, in their order. Whether its `jti` was seen before, and whether there is such
 * a session, is not judged here (BCL-42, BCL-43).
 * @param token as it was posted. Untrusted.
 * @throws LogoutRequestRefused at the first check that fails.
 * @see BCL-33 to BCL-44
 */
export async function verifyLogoutToken(token: string, expected: LogoutTokenExpectation): Promise<VerifiedLogoutToken> {
  const inHand: LogoutTokenInHand = { text: token, header: {}, claims: {} };
  for (const [, check] of LOGOUT_TOKEN_CHECKS) await check(inHand, expected);
  // The checks have judged the types.
  const { iss, sid, sub, jti, iat, exp } = inHand.claims as {
    iss: string;
    sid?: string;
    sub?: string;
    jti: string;
    iat: number;
    exp?: number;
  };
  const acceptableUntil = Math.min(exp ?? Infinity, iat + expected.maxAgeSeconds);
  return { issuer: iss, sid, sub, jti, iat, exp, forgetAt: new Date(Math.ceil((acceptableUntil + expected.skewSeconds) * 1000)) };
}
