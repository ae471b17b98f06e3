import type { CompactJWEHeaderParameters, JWTVerifyGetKey, KeyInput } from 'jose';
import type { LogoutTokenAlg, NestedEncryption } from '../logout-token-terms.js';

/** What we know of an OP, and demand of its logout tokens. All of it comes from the registration, none of it from a token. */
export interface LogoutTokenExpectation {
  /** Compared byte for byte. @see BCL-36 */
  issuer: string;
  /** Our client_id at the OP. @see BCL-36 */
  audience: string;
  /** The one algorithm agreed. @see BCL-35 */
  alg: LogoutTokenAlg;
  /**
   * Finds the OP's key by the `alg` and `kid` of the header; it is shown nothing else of it.
   * jose's `createLocalJWKSet` and `createRemoteJWKSet` fit. @see BCL-34
   */
  keys: JWTVerifyGetKey;
  /** Set when encryption was agreed; cleartext is refused then. @see BCL-33 */
  decryption?: NestedEncryption & { privateKey: (header: CompactJWEHeaderParameters) => Promise<KeyInput> };
  now: Date;
  /** The OP is older than errata set 1. @see BCL-38 */
  allowMissingExp: boolean;
  /** How old `iat` may be. Seconds. @see BCL-37 */
  maxAgeSeconds: number;
  /** How far `iat` may lie in the future, and how much longer a `jti` is remembered. Seconds. @see BCL-37, BCL-42 */
  skewSeconds: number;
}

/** A token under judgement: as each check opens more of it, the next ones may read more. What is not open yet is empty, and refused. */
export interface LogoutTokenInHand {
  /** The compact JWS, or at first the compact JWE around it. */
  text: string;
  /** The header of the JWS. Not trusted before the signature is. */
  header: Readonly<Record<string, unknown>>;
  /** The claims: empty until the signature is verified, then the bytes that were signed. */
  claims: Readonly<Record<string, unknown>>;
}

/** Judges one thing, and throws a LogoutRequestRefused when it is not as it must be. */
export type LogoutTokenCheck = (token: LogoutTokenInHand, expected: LogoutTokenExpectation) => void | Promise<void>;
