/** The member of `events` that makes a JWT a logout token; the scheme is http, not https. @see BCL-15 */
export const BACKCHANNEL_LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** The media type of a logout token, as `typ` spells it. @see BCL-21 */
export const LOGOUT_TOKEN_TYPE = 'logout+jwt';

/** Seconds from `iat` to `exp` of a logout token that we send. @see BCL-13 */
export const LOGOUT_TOKEN_LIFETIME_SECONDS = 120;

/** Signature algorithms of logout tokens: none of them symmetric, `none` not among them. @see BCL-22 */
export type LogoutTokenAlg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

/** How a logout token is nested in a JWE. @see BCL-24 */
export interface NestedEncryption {
  alg: 'RSA-OAEP' | 'RSA-OAEP-256' | 'ECDH-ES' | 'ECDH-ES+A128KW' | 'ECDH-ES+A256KW';
  enc: 'A128CBC-HS256' | 'A256CBC-HS512' | 'A128GCM' | 'A256GCM';
}

/** The claims of a logout token, in the specification's spelling. @see BCL-10 */
export interface LogoutTokenClaims {
  iss: string;
  aud: string;
  iat: number;
  exp: number;
  jti: string;
  sid?: string;
  sub?: string;
  events: { [BACKCHANNEL_LOGOUT_EVENT]: Record<string, never> };
}
