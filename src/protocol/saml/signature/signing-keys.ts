import { verify, constants, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SamlMessageRefused } from '../saml-message-refused.js';
import type { SignatureScheme } from './algorithms.js';

const RSA_BITS = 2_048;
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * The keys of a peer's certificates that fit the algorithm and are strong enough. Of a certificate nothing but its key is used: that it is in
 * the metadata is what makes it trusted, so that neither its own dates nor who issued it are a reason to refuse; peers have
 * self-signed ones that ran out years ago.
 *
 * @throws SamlMessageRefused `forbidden_algorithm` when all that fit are too weak, `bad_signature` when none fits
 * @see SLO-74, SLO-75, SLO-83
 */
export function keysFor(scheme: SignatureScheme, certificates: readonly string[]): KeyObject[] {
  const keys = certificates.flatMap((pem) => keyOf(pem) ?? []).filter((key) => key.asymmetricKeyType === scheme.keyType);
  const strong = keys.filter(isStrong);
  if (strong.length > 0) return strong;
  if (keys.length > 0) {
    const wanted = scheme.keyType === 'rsa' ? `RSA of at least ${RSA_BITS} bits` : 'ECDSA on P-256, P-384 or P-521';
    throw new SamlMessageRefused('forbidden_algorithm', 'SLO-83', `the keys in the sender's metadata are too weak, wanted is ${wanted}`);
  }
  const wanted = scheme.keyType === 'rsa' ? 'an RSA' : 'an elliptic curve';
  throw new SamlMessageRefused('bad_signature', 'SLO-74', `the algorithm needs ${wanted} key, and the sender's metadata has none`);
}

/** By certificate. Reading one costs as much as verifying a signature, and it says the same each time. */
const known = new Map<string, KeyObject | null>();
const MOST_KNOWN = 1_000;

function keyOf(pem: string): KeyObject | null {
  let key = known.get(pem);
  if (key === undefined) {
    key = readKey(pem);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(pem, key);
  }
  return key;
}

function readKey(pem: string): KeyObject | null {
  try {
    return new X509Certificate(pem).publicKey;
  } catch {
    return null;
  }
}

function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === 'rsa') return (asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS;
  return CURVES.includes(asymmetricKeyDetails?.namedCurve);
}

/** Whether one of the keys made the signature. In XML and in queries that of ECDSA is r and s one behind the other, not DER. @see SLO-74 */
export function isSignedByOneOf(keys: readonly KeyObject[], scheme: SignatureScheme, octets: Buffer, signature: Buffer): boolean {
  return keys.some((key) => {
    try {
      return verify(scheme.hash, octets, { key, ...parametersOf(scheme) }, signature);
    } catch {
      return false;
    }
  });
}

function parametersOf({ keyType, pss }: SignatureScheme) {
  if (keyType === 'ec') return { dsaEncoding: 'ieee-p1363' as const };
  if (pss) return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return { padding: constants.RSA_PKCS1_PADDING };
}
