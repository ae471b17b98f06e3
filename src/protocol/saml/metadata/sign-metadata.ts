import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import type { SamlSigner } from '../types.js';
import { x509Data } from './published-parts.js';

const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const ALGORITHM_URI = {
  'rsa-sha256': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'ecdsa-sha256': 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
} as const;

/** An enveloped signature over the whole document, as its first child, where the metadata schema wants it. @see SLO-82 */
export function signMetadata(xml: string, signer: SamlSigner): string {
  const uri = ALGORITHM_URI[signer.algorithm];
  const signature = new SignedXml({
    privateKey: signer.privateKey as never,
    signatureAlgorithm: uri,
    canonicalizationAlgorithm: EXCLUSIVE_C14N,
    getKeyInfoContent: () => x509Data(signer.certificate),
  });
  // The library knows no ECDSA; XML wants r and s one behind the other, not as DER.
  signature.SignatureAlgorithms[uri] = class {
    getAlgorithmName = () => uri;
    getSignature = (info: unknown, key: unknown) =>
      sign('sha256', Buffer.from(info as string), { key: key as KeyObject, dsaEncoding: 'ieee-p1363' }).toString('base64');
    verifySignature = () => false;
  };
  signature.addReference({ xpath: '/*', transforms: [ENVELOPED, EXCLUSIVE_C14N], digestAlgorithm: SHA256 });
  signature.computeSignature(xml, { prefix: 'ds', location: { reference: '/*', action: 'prepend' } });
  return signature.getSignedXml();
}
