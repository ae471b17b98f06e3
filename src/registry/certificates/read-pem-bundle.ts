import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readCertificate } from './certificate-facts.js';
import type { CertificateFacts } from './certificate-facts.js';
import { asInvalid } from './key-refused.js';

/** A private key and the certificates that came with it, in their order. */
export interface Bundle {
  privateKey: KeyObject;
  certificates: CertificateFacts[];
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const FIELD = '/pem';

/** @throws ExeuntError `validation` */
export function readPemBundle(text: string): Bundle {
  const blocks = [...text.matchAll(BLOCK)].map(([pem, label]) => ({ pem, label: label! }));
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (keys.length !== 1) throw asInvalid(FIELD, `must have one private key (BEGIN PRIVATE KEY), this has ${keys.length}`);
  if (certificates.length === 0) throw asInvalid(FIELD, 'must have the certificate of the key, too (BEGIN CERTIFICATE)');
  return { privateKey: readKey(keys[0]!.pem), certificates: certificates.map(({ pem }, index) => readOne(pem, index)) };
}

// The messages of the crypto library are not passed on: they may quote what they could not read.
function readKey(pem: string): KeyObject {
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw asInvalid(
      FIELD,
      'must have its private key not encrypted: decrypt it first (`openssl pkey`), or give a PKCS#12 file with its password',
    );
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    throw asInvalid(FIELD, 'must have a private key that can be read: PKCS#8, SEC 1 (EC) or PKCS#1 (RSA)');
  }
}

function readOne(pem: string, index: number): CertificateFacts {
  try {
    return readCertificate(pem);
  } catch {
    throw asInvalid(FIELD, `has a certificate that cannot be read (the ${index + 1}. of them)`);
  }
}
