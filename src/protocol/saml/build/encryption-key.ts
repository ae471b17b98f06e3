import { X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { SamlEncryptionKey } from '../types.js';
import { UnbuildableMessage } from './unbuildable-message.js';

const XENC = 'http://www.w3.org/2001/04/xmlenc#';
const XENC11 = 'http://www.w3.org/2009/xmlenc11#';
const SMALLEST_RSA_BITS = 2048;

/** Authenticated encryption alone, never CBC. @see SLO-85 */
const CONTENT = {
  [`${XENC11}aes256-gcm`]: { cipher: 'aes-256-gcm', keyBytes: 32 },
  [`${XENC11}aes128-gcm`]: { cipher: 'aes-128-gcm', keyBytes: 16 },
} as const satisfies Record<string, { cipher: string; keyBytes: number }>;
const DEFAULT_CONTENT = `${XENC11}aes256-gcm`;
const OTHER_CONTENT = new Set(
  ['tripledes-cbc', 'aes128-cbc', 'aes192-cbc', 'aes256-cbc'].map((name) => `${XENC}${name}`).concat(`${XENC11}aes192-gcm`),
);

/** OAEP alone, never rsa-1_5; the older name first, for every peer knows it. @see SLO-85 */
const TRANSPORT = [`${XENC}rsa-oaep-mgf1p`, `${XENC11}rsa-oaep`] as const;
const OTHER_TRANSPORT = new Set([`${XENC}rsa-1_5`]);

/** How a NameID is encrypted for a peer. */
export interface EncryptionChoice {
  publicKey: KeyObject;
  /** PEM. */
  certificate: string;
  content: { uri: string; cipher: 'aes-256-gcm' | 'aes-128-gcm'; keyBytes: number };
  transport: (typeof TRANSPORT)[number];
}

/**
 * The first of a peer's encryption keys that may be used; or why there is none.
 * @see SLO-74, SLO-85
 */
export function findEncryptionKey(keys: readonly SamlEncryptionKey[]): { key: SamlEncryptionKey } | { unusable: string } {
  const reasons: string[] = [];
  for (const key of keys) {
    try {
      chooseEncryption(key);
      return { key };
    } catch (error) {
      if (!(error instanceof UnbuildableMessage)) throw error;
      reasons.push(error.description);
    }
  }
  return { unusable: reasons.length > 0 ? reasons.join('; ') : 'the metadata has no encryption key' };
}

/** @throws UnbuildableMessage when the key must not be used. */
export function chooseEncryption({ certificate, methods }: SamlEncryptionKey): EncryptionChoice {
  const publicKey = readPublicKey(certificate);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  if (type !== 'rsa') throw new UnbuildableMessage(`an encryption key must be RSA, this is ${type ?? 'of unknown type'}`);
  const bits = details?.modulusLength ?? 0;
  if (bits < SMALLEST_RSA_BITS) {
    throw new UnbuildableMessage(`an RSA encryption key must have at least ${SMALLEST_RSA_BITS} bits, this has ${bits}`);
  }
  return { publicKey, certificate, content: chooseContent(methods), transport: chooseTransport(methods) };
}

function chooseContent(methods: readonly string[]): EncryptionChoice['content'] {
  const uri = methods.find((method): method is keyof typeof CONTENT => method in CONTENT);
  if (uri) return { uri, ...CONTENT[uri] };
  const other = methods.filter((method) => OTHER_CONTENT.has(method));
  if (other.length > 0) {
    throw new UnbuildableMessage(`the encryption key allows only ${other.join(', ')}; wanted is aes128-gcm or aes256-gcm`);
  }
  return { uri: DEFAULT_CONTENT, ...CONTENT[DEFAULT_CONTENT] };
}

function chooseTransport(methods: readonly string[]): EncryptionChoice['transport'] {
  const uri = TRANSPORT.find((method) => methods.includes(method));
  if (uri) return uri;
  const other = methods.filter((method) => OTHER_TRANSPORT.has(method));
  if (other.length > 0) {
    throw new UnbuildableMessage(`the encryption key allows only ${other.join(', ')}; wanted is rsa-oaep-mgf1p or rsa-oaep`);
  }
  return TRANSPORT[0];
}

function readPublicKey(certificate: string): KeyObject {
  try {
    return new X509Certificate(certificate).publicKey;
  } catch {
    throw new UnbuildableMessage('an encryption certificate cannot be read');
  }
}
