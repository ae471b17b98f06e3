import { X509Certificate } from 'node:crypto';
import { NS } from '../terms.js';
import type { SamlEncryptionKey, SamlEntity } from '../types.js';
import { MetadataRefused } from './metadata-refused.js';
import { childrenOf } from './metadata-tree.js';

const MOST = 32;
const LEAST_RSA_BITS = 2_048;
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * Its keys by what they are for; one without `use` is for both. Certificates only carry keys here: that they are expired or signed by
 * nobody known says nothing, it is the metadata that vouches for them.
 * @see SLO-74, SLO-75, SLO-83
 */
export function readKeys(descriptor: Element): Pick<SamlEntity, 'signingCertificates' | 'encryptionKeys'> {
  const signing = new Set<string>();
  const encryption = new Map<string, SamlEncryptionKey>();
  for (const key of childrenOf(descriptor, NS.md, 'KeyDescriptor')) {
    const use = key.getAttribute('use') || 'both';
    if (!['signing', 'encryption', 'both'].includes(use)) refuse('KeyDescriptor use must be signing or encryption', use);
    const methods = childrenOf(key, NS.md, 'EncryptionMethod').map((method) => method.getAttribute('Algorithm') ?? '');
    for (const { pem, type } of certificatesOf(key)) {
      if (use !== 'encryption') signing.add(pem);
      // Nothing of ours encrypts to an elliptic curve: such a key is as good as none. @see SLO-85
      if (use !== 'signing' && type === 'rsa') encryption.set(pem, { certificate: pem, methods });
    }
  }
  if (signing.size > MOST || encryption.size > MOST)
    refuse(`must have at most ${MOST} keys of one use`, Math.max(signing.size, encryption.size));
  if (signing.size === 0) {
    refuse('must have a KeyDescriptor with an X509Certificate for signing: without one nothing that it says can be believed');
  }
  return { signingCertificates: [...signing], encryptionKeys: [...encryption.values()] };
}

function certificatesOf(key: Element): { pem: string; type: string }[] {
  return childrenOf(key, NS.ds, 'KeyInfo')
    .flatMap((info) => childrenOf(info, NS.ds, 'X509Data'))
    .flatMap((data) => childrenOf(data, NS.ds, 'X509Certificate'))
    .map((element) => readKeyCertificate(element.textContent ?? ''));
}

/** @param text base64 of the DER, with or without white space and, as some products have it, PEM's head and foot. */
export function readKeyCertificate(text: string): { pem: string; type: string } {
  const base64 = text.replace(/-----(BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '');
  if (base64 === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    refuse('X509Certificate must be base64 of a certificate', base64.slice(0, 40));
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    refuse('X509Certificate must be a certificate that can be read', `${base64.slice(0, 40)}...`);
  }
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details } = certificate.publicKey;
  const subject = certificate.subject.replaceAll('\n', ', ') || 'without a subject';
  if (type === 'rsa' && (details?.modulusLength ?? 0) < LEAST_RSA_BITS) {
    refuse(`RSA keys must have at least ${LEAST_RSA_BITS} bits`, `${details?.modulusLength} bits in ${subject}`);
  }
  if (type === 'ec' && !CURVES.has(details?.namedCurve ?? ''))
    refuse('EC keys must be on P-256, P-384 or P-521', `${details?.namedCurve} in ${subject}`);
  if (type !== 'rsa' && type !== 'ec') refuse('keys must be RSA or EC', `${type} in ${subject}`);
  return { pem: pemOf(certificate.raw), type };
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function refuse(rule: string, seen?: unknown): never {
  throw new MetadataRefused('document', 'SLO-74', rule, seen);
}
