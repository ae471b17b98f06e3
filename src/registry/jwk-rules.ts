import { createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { JWK } from 'jose';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const SHORTEST_RSA_BITS = 2048;
const EC_CURVES = ['P-256', 'P-384', 'P-521'];
const OKP_CURVES = ['Ed25519', 'X25519'];
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** What is wrong with a public JWK; null when nothing is. Never shows a value. */
export function publicJwkFault(jwk: Readonly<Record<string, unknown>>): string | null {
  const secret = PRIVATE_MEMBERS.find((name) => name in jwk);
  if (secret !== undefined) return `must be a public key, but has the private member ${secret}; that key is no longer a secret`;
  switch (jwk['kty']) {
    case 'RSA':
      if (!isBase64Url(jwk['n']) || !isBase64Url(jwk['e'])) return 'an RSA key must have n and e in base64url';
      return rsaBits(jwk['n']) < SHORTEST_RSA_BITS ? `an RSA key must have at least ${SHORTEST_RSA_BITS} bits` : null;
    case 'EC':
      if (!EC_CURVES.includes(String(jwk['crv']))) return `an EC key must have one of the curves ${EC_CURVES.join(', ')}`;
      return isKey(jwk) ? null : 'an EC key must have x and y in base64url, of a point on its curve';
    case 'OKP':
      if (!OKP_CURVES.includes(String(jwk['crv']))) return `an OKP key must have one of the curves ${OKP_CURVES.join(', ')}`;
      return isKey(jwk) ? null : 'an OKP key must have x in base64url, of the length of its curve';
    default:
      return 'must have kty RSA, EC or OKP';
  }
}

/** Whether a public key can be used to encrypt with a key management algorithm. @see BCL-24 */
export function fitsKeyManagement(jwk: Readonly<Record<string, unknown>>, alg: string): boolean {
  if (jwk['use'] !== undefined && jwk['use'] !== 'enc') return false;
  if (jwk['alg'] !== undefined && jwk['alg'] !== alg) return false;
  if (alg.startsWith('RSA-OAEP')) return jwk['kty'] === 'RSA';
  return jwk['kty'] === 'EC' || (jwk['kty'] === 'OKP' && jwk['crv'] === 'X25519');
}

/** Whether the crypto library takes it: that the point is on the curve, for one. */
function isKey({ kty, crv, x, y }: Readonly<Record<string, unknown>>): boolean {
  try {
    createPublicKey({ key: { kty, crv, x, y } as JsonWebKey, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

/** Whether two JWKs hold the same public key, whatever they call it. */
export async function isSameKey(one: JWK, other: JWK): Promise<boolean> {
  try {
    return (await calculateJwkThumbprint(one)) === (await calculateJwkThumbprint(other));
  } catch {
    return false;
  }
}

function isBase64Url(value: unknown): value is string {
  return typeof value === 'string' && BASE64URL.test(value);
}

function rsaBits(modulus: string): number {
  const bytes = Buffer.from(modulus, 'base64url');
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? 0 : (bytes.length - start) * 8 - Math.clz32(bytes[start]!) + 24;
}
