import type { KeyLike } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import { x509Data } from '../metadata/published-parts.js';
import { NS } from '../terms.js';
import type { SamlSigner } from '../types.js';
import { SIGNATURE_URI, signOctets } from './signature-algorithms.js';
import { writeText } from './write-xml.js';

const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = `${NS.ds}enveloped-signature`;
const SHA256 = `${NS.xenc}sha256`;
const ISSUER = `/*/*[local-name(.)='Issuer' and namespace-uri(.)='${NS.saml}']`;

/**
 * The message with a signature over all of it: enveloped, one Reference to its ID, exclusive canonicalisation, directly behind the Issuer, our
 * certificate in its KeyInfo as a hint. For POST and SOAP; Redirect signs the query instead.
 * @param xml a message as our builders make it, with an ID and an Issuer.
 * @throws ExeuntError `configuration` when the key does not suit its algorithm.
 * @see SLO-1, SLO-49, SLO-80, SLO-82, SLO-83
 */
export function signMessage(xml: string, signer: SamlSigner): string {
  const uri = SIGNATURE_URI[signer.algorithm];
  const signature = new SignedXml({
    // Our own implementation below uses the signer; the library only wants to see that there is a key.
    privateKey: signer.privateKey as unknown as KeyLike,
    signatureAlgorithm: uri,
    canonicalizationAlgorithm: EXCLUSIVE_C14N,
    getKeyInfoContent: () => x509Data(signer.certificate),
  });
  // The library has no ECDSA.
  signature.SignatureAlgorithms[uri] = class {
    getAlgorithmName = () => uri;
    getSignature = (signedInfo: unknown) => signOctets(signedInfo as string, signer);
    verifySignature = () => false;
  };
  signature.addReference({ xpath: '/*', transforms: [ENVELOPED, EXCLUSIVE_C14N], digestAlgorithm: SHA256 });
  signature.computeSignature(xml, { prefix: 'ds', location: { reference: ISSUER, action: 'after' } });
  // The library reads what we wrote and writes it anew: of the references only that of the carriage return survives.
  return signature.getSignedXml().replace(/[\u0085\u2028]/g, (character) => writeText(character));
}
