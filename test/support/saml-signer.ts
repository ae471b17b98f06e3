import { createPrivateKey } from 'node:crypto';
import type { SamlSigner } from '#protocol/saml';
import { makeCertificate } from '../integration/egress-certificate.js';
import { makeCredential } from './saml-peer.js';

/** What our side of a test signs with, with a key and a certificate of its own. */
export function makeSigner(algorithm: SamlSigner['algorithm'] = 'rsa-sha256'): SamlSigner {
  if (algorithm === 'rsa-sha256') {
    const { privateKey, certificate } = makeCredential('signer');
    return { privateKey: createPrivateKey(privateKey), certificate, algorithm };
  }
  const { privateKey, cert } = makeCertificate({ commonName: 'signer' });
  return { privateKey, certificate: cert, algorithm };
}
