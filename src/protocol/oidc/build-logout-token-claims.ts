import { ExeuntError } from '#domain';
import { BACKCHANNEL_LOGOUT_EVENT, LOGOUT_TOKEN_LIFETIME_SECONDS, type LogoutTokenClaims } from './logout-token-terms.js';

const EVENTS: LogoutTokenClaims['events'] = Object.freeze({ [BACKCHANNEL_LOGOUT_EVENT]: Object.freeze({}) });

/**
 * The claims of one logout token for one client. They are minted anew for each attempt: the token lives for two minutes, and a client
 * that handled a lost first copy may take the same `jti` for a replay.
 * @param input `issuer` byte for byte as discovery says it; `clientId` the one audience; at least one of `sid` and `sub`; `jti` never used before.
 * @throws ExeuntError `internal` when there is neither `sid` nor `sub`: the caller has to judge that first.
 * @see BCL-10 to BCL-18, BCL-28
 */
export function buildLogoutTokenClaims(input: {
  issuer: string;
  clientId: string;
  sid?: string | null;
  sub?: string | null;
  now: Date;
  jti: string;
}): LogoutTokenClaims {
  if (!input.sid && !input.sub) throw new ExeuntError('internal', 'a logout token needs a sid or a sub, and neither was given');
  const iat = Math.floor(input.now.getTime() / 1000);
  const claims: LogoutTokenClaims = {
    iss: input.issuer,
    aud: input.clientId,
    iat,
    exp: iat + LOGOUT_TOKEN_LIFETIME_SECONDS,
    jti: input.jti,
    events: EVENTS,
  };
  if (input.sub) claims.sub = input.sub;
  if (input.sid) claims.sid = input.sid;
  return claims;
}
