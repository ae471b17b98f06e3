import { randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import forge from 'node-forge';

const YEARS = 10;
/** Clocks of peers differ, and some of them look at notBefore. */
const EARLY_MS = 3_600_000;
const SERIAL_BYTES = 16;

/**
 * A self-signed X.509 certificate (v3, sha256WithRSAEncryption, ten years) around an RSA key. Peers trust it because it stands in metadata,
 * and not for what it says.
 * @param commonName of subject and issuer.
 * @returns PEM.
 */
export function makeCertificate(pair: { publicKey: KeyObject; privateKey: KeyObject }, commonName: string, now: Date): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey.export({ type: 'spki', format: 'pem' }) as string);
  certificate.serialNumber = randomSerial();
  certificate.validity.notBefore = new Date(now.getTime() - EARLY_MS);
  certificate.validity.notAfter = new Date(now);
  certificate.validity.notAfter.setUTCFullYear(now.getUTCFullYear() + YEARS);
  const name = [{ shortName: 'CN', value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([{ name: 'basicConstraints', cA: false, critical: true }, { name: 'subjectKeyIdentifier' }]);
  certificate.sign(
    signerOf(() => certificate.tbsCertificate, pair.privateKey),
    forge.md.sha256.create(),
  );
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}

/** Node signs: an RSA signature in plain JavaScript takes a hundred times as long, and its private key would lie about as numbers. */
function signerOf(tbs: () => forge.asn1.Asn1, privateKey: KeyObject): forge.pki.rsa.PrivateKey {
  const signIt = () => sign('sha256', Buffer.from(forge.asn1.toDer(tbs()).getBytes(), 'latin1'), privateKey).toString('latin1');
  return { sign: signIt } as unknown as forge.pki.rsa.PrivateKey;
}

/** Positive and without leading zeros, as DER wants an INTEGER. @see RFC 5280 section 4.1.2.2 */
function randomSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}
