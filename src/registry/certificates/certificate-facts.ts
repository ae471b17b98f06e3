import { X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What an X.509 certificate says. */
export interface CertificateFacts {
  /** PEM, one certificate, lines of 64 characters. */
  certificate: string;
  /** SHA-256 of its DER, hexadecimal, small letters. */
  fingerprint: string;
  /** Distinguished name on one line, e.g. `CN=corp, O=Example`. */
  subject: string;
  notBefore: Date;
  notAfter: Date;
  /** Whether its public key is the other half of that private key. */
  belongsTo(privateKey: KeyObject): boolean;
}

/** @throws Error of the crypto library when it is none. */
export function readCertificate(source: string | Buffer): CertificateFacts {
  const x509 = new X509Certificate(source);
  return {
    certificate: pemOf(x509.raw),
    fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: x509.subject.split('\n').join(', '),
    notBefore: new Date(x509.validFrom),
    notAfter: new Date(x509.validTo),
    belongsTo: (privateKey) => x509.checkPrivateKey(privateKey),
  };
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
