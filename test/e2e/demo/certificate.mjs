import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

/**
 * An RSA key with a self-signed certificate around it, as SAML peers show one another in their metadata.
 * @param {string} commonName
 * @returns {{ privateKey: string, certificate: string }} PEM
 */
export function makeCertificate(commonName) {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const key = forge.pki.privateKeyFromPem(privateKey);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 3_600_000);
  certificate.validity.notAfter = new Date(Date.now() + 30 * 86_400_000);
  const name = [{ shortName: 'CN', value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(key, forge.md.sha256.create());
  return { privateKey, certificate: forge.pki.certificateToPem(certificate) };
}

/** What of a certificate stands in metadata. */
export function certificateBody(pem) {
  return pem.replace(/-----[A-Z ]+-----|\s/g, '');
}
