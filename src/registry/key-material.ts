import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { ExeuntError } from '#domain';
import type { SigningAlg, TokenEncryption } from './types.js';

export type KeyAlg = SigningAlg | TokenEncryption['alg'];

/** A key pair before it is sealed: never leaves the registry. */
export interface KeyMaterial {
  kid: string;
  use: 'sig' | 'enc';
  alg: KeyAlg;
  /** With `kid`, `use` and `alg`, as it is published. */
  publicJwk: JWK;
  privateJwk: JWK;
}

const RSA_BITS = 2048;
const LONGEST_RSA_BITS = 8192;
const PROBE = Buffer.from('exeunt');

/** A new key pair; its kid is the thumbprint. @see RFC 7638 */
export async function generateKey(alg: KeyAlg): Promise<KeyMaterial> {
  const pair = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS, ...(alg === 'EdDSA' ? { crv: 'Ed25519' } : {}) });
  const publicJwk = await exportJWK(pair.publicKey);
  return withNames(await calculateJwkThumbprint(publicJwk), alg, publicJwk, await exportJWK(pair.privateKey));
}

export interface KeyImport {
  jwk?: Record<string, unknown> | undefined;
  /** PKCS#8, SEC 1 (EC) or PKCS#1 (RSA), not encrypted. */
  pem?: string | undefined;
  kid?: string | undefined;
  alg?: SigningAlg | undefined;
}

/**
 * A signing key that the operator brings, usually the identity provider's own.
 * @throws ExeuntError `validation`: not a private key, too weak, of a kind no algorithm here uses, or its halves do not belong together
 */
export async function importKey(given: KeyImport): Promise<KeyMaterial> {
  const field = given.pem === undefined ? '/jwk' : '/pem';
  const privateKey = given.pem === undefined ? readJwk(given.jwk!) : readPem(given.pem);
  const publicKey = createPublicKey(privateKey);
  const alg = algOf(privateKey, given, field);
  proveSoundness(privateKey, given.jwk === undefined ? publicKey : readPublicHalf(given.jwk), field);
  const publicJwk = publicKey.export({ format: 'jwk' }) as JWK;
  const named = given.kid ?? (typeof given.jwk?.['kid'] === 'string' && given.jwk['kid'] !== '' ? given.jwk['kid'] : undefined);
  const kid = named ?? (await calculateJwkThumbprint(publicJwk));
  return withNames(kid, alg, publicJwk, privateKey.export({ format: 'jwk' }));
}

function withNames(kid: string, alg: KeyAlg, publicJwk: JWK, privateJwk: JWK): KeyMaterial {
  const use = alg.startsWith('RSA-OAEP') || alg.startsWith('ECDH-ES') ? 'enc' : 'sig';
  return { kid, use, alg, publicJwk: { ...publicJwk, kid, use, alg }, privateJwk };
}

// The messages of the crypto library are not passed on: they may quote what they could not read.
function readJwk(jwk: Record<string, unknown>): KeyObject {
  if (typeof jwk['d'] !== 'string') throw refused('/jwk', 'must be a private key: it has no member d');
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') throw refused('/jwk/use', 'must be sig');
  try {
    return createPrivateKey({ key: jwk as never, format: 'jwk' });
  } catch {
    throw refused('/jwk', 'must be a complete private JWK of kty RSA, EC or OKP');
  }
}

function readPublicHalf(jwk: Record<string, unknown>): KeyObject {
  const { kty, crv, n, e, x, y } = jwk;
  try {
    return createPublicKey({ key: { kty, crv, n, e, x, y } as never, format: 'jwk' });
  } catch {
    throw refused('/jwk', 'must have its public members, too');
  }
}

function readPem(pem: string): KeyObject {
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem))
    throw refused('/pem', 'must not be encrypted; decrypt it first (`openssl pkey`)');
  if (/-----BEGIN (PUBLIC KEY|CERTIFICATE|RSA PUBLIC KEY)/.test(pem) && !pem.includes('PRIVATE KEY'))
    throw refused('/pem', 'must be a private key');
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    throw refused('/pem', 'must be a private key in PEM: PKCS#8, SEC 1 (EC) or PKCS#1 (RSA)');
  }
}

function algOf(key: KeyObject, given: KeyImport, field: string): SigningAlg {
  const wanted = given.alg ?? (typeof given.jwk?.['alg'] === 'string' ? given.jwk['alg'] : undefined);
  const details = key.asymmetricKeyDetails;
  let possible: SigningAlg[];
  if (key.asymmetricKeyType === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits < RSA_BITS || bits > LONGEST_RSA_BITS)
      throw refused(field, `an RSA key must have ${RSA_BITS} to ${LONGEST_RSA_BITS} bits, this one has ${bits}`);
    possible = ['RS256', 'PS256'];
  } else if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') possible = ['ES256'];
  else if (key.asymmetricKeyType === 'ed25519') possible = ['EdDSA'];
  else throw refused(field, `must be an RSA, EC P-256 or Ed25519 key, this one is ${details?.namedCurve ?? key.asymmetricKeyType}`);
  const alg =
    wanted === undefined || (wanted === 'Ed25519' && possible[0] === 'EdDSA') ? possible[0]! : possible.find((one) => one === wanted);
  if (alg === undefined) throw refused('/alg', `must be ${possible.join(' or ')} for this key`, wanted);
  return alg;
}

/** A key whose halves do not belong together would sign tokens that nobody accepts. */
function proveSoundness(privateKey: KeyObject, publicKey: KeyObject, field: string): void {
  const digest = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  let sound = false;
  try {
    sound = verify(digest, PROBE, publicKey, sign(digest, PROBE, privateKey));
  } catch {
    // Not sound either.
  }
  if (!sound) throw refused(field, 'its private and its public half do not belong together');
}

function refused(field: string, rule: string, seen: unknown = '[redacted]'): ExeuntError {
  return new ExeuntError('validation', `The key cannot be used: ${field} ${rule}`, [{ field, seen, rule }]);
}
