import { CompactEncrypt, importJWK, type JWK } from 'jose';
import type { NestedEncryption } from './logout-token-terms.js';

/**
 * A signed logout token nested in a JWE for one client: sign first, then encrypt. The issuer is repeated in the header in the clear,
 * so that the client can tell who speaks before it decrypts.
 * @param jws the signed token.
 * @param target `publicJwk` is the client's own public key: untrusted as a document, checked by the import.
 * @throws TypeError or a JOSE error when the key does not suit the algorithm.
 * @see BCL-24, RFC 7519 sections 5.2 and 5.3
 */
export async function encryptLogoutToken(jws: string, target: NestedEncryption & { publicJwk: JWK; issuer: string }): Promise<string> {
  const key = await importJWK(target.publicJwk, target.alg);
  const header = { alg: target.alg, enc: target.enc, cty: 'JWT', iss: target.issuer };
  return new CompactEncrypt(Buffer.from(jws))
    .setProtectedHeader(target.publicJwk.kid === undefined ? header : { ...header, kid: target.publicJwk.kid })
    .encrypt(key);
}
