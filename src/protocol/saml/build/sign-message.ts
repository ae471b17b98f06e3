import { createHash } from 'node:crypto';
import { ExeuntError } from '#domain';
import { x509Data } from '../metadata/published-parts.js';
import { NS } from '../terms.js';
import type { SamlSigner } from '../types.js';
import { SIGNATURE_URI, signOctets } from './signature-algorithms.js';
import { canonicalForm, writeElement } from './write-xml.js';

const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = `${NS.ds}enveloped-signature`;
const SHA256 = `${NS.xenc}sha256`;
const DS_NAMESPACE = { 'xmlns:ds': NS.ds };
const ISSUER_END = '</saml:Issuer>';
const ROOT = /^<samlp:Logout(?:Request|Response) [^<]*?\bID="([^"<&]+)"/;

/**
 * The message with a signature over all of it: enveloped, one Reference to its ID, exclusive canonicalisation, directly behind the Issuer, our
 * certificate in its KeyInfo as a hint. For POST and SOAP; Redirect signs the query instead.
 *
 * Our builders write canonical XML, so there is nothing to parse and to canonicalise: xml-crypto, which does both, takes five times as long (RSA; of ECDSA it has none).
 * @param xml as `buildLogoutRequest` or `buildLogoutResponse` returned it, and no other.
 * @throws ExeuntError `configuration` when the key does not suit its algorithm, `internal` for another XML.
 * @see SLO-1, SLO-49, SLO-80, SLO-82, SLO-83
 */
export function signMessage(xml: string, signer: SamlSigner): string {
  const id = ROOT.exec(xml)?.[1];
  const place = xml.indexOf(ISSUER_END) + ISSUER_END.length;
  if (id === undefined || place < ISSUER_END.length)
    throw new ExeuntError('internal', 'only a message that was built here can be signed here');
  return xml.slice(0, place) + writeSignature(id, canonicalForm(xml), signer) + xml.slice(place);
}

function writeSignature(id: string, canonical: string, signer: SamlSigner): string {
  const info = [
    writeElement('ds:CanonicalizationMethod', { Algorithm: EXCLUSIVE_C14N }),
    writeElement('ds:SignatureMethod', { Algorithm: SIGNATURE_URI[signer.algorithm] }),
    writeElement(
      'ds:Reference',
      { URI: `#${id}` },
      writeElement('ds:Transforms', {}, ...[ENVELOPED, EXCLUSIVE_C14N].map((Algorithm) => writeElement('ds:Transform', { Algorithm }))),
      writeElement('ds:DigestMethod', { Algorithm: SHA256 }),
      writeElement('ds:DigestValue', {}, createHash('sha256').update(canonical).digest('base64')),
    ),
  ];
  // Alone it declares the namespace itself; inside the Signature it does not.
  const value = signOctets(writeElement('ds:SignedInfo', DS_NAMESPACE, ...info), signer);
  return writeElement(
    'ds:Signature',
    DS_NAMESPACE,
    writeElement('ds:SignedInfo', {}, ...info),
    writeElement('ds:SignatureValue', {}, value),
    writeElement('ds:KeyInfo', {}, x509Data(signer.certificate)),
  );
}
