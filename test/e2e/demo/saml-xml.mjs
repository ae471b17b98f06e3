import { randomBytes } from 'node:crypto';
import { DOMParser, XMLSerializer } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';

/** An xs:ID that nobody guesses. */
export function newXmlId() {
  return `_${randomBytes(20).toString('hex')}`;
}

export function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** @returns {Document} @throws on what is no well-formed XML, or has a document type */
export function parseXml(text) {
  if (text.includes('<!DOCTYPE')) throw new Error('a document type has no place in a SAML message');
  const fail = (message) => {
    throw new Error(`this is no XML: ${message.split('\n')[0]}`);
  };
  return new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } }).parseFromString(text, 'text/xml');
}

/**
 * Signs the element that has this ID, with the signature right behind its Issuer.
 * @param {string} xml @param {string} id @param {{ privateKey: string, certificate: string }} key PEM
 */
export function signElement(xml, id, { privateKey, certificate }) {
  const signature = new SignedXml({
    privateKey,
    publicCert: certificate,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: EXCLUSIVE_C14N,
  });
  const element = `//*[@ID='${id}']`;
  signature.addReference({
    xpath: element,
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', EXCLUSIVE_C14N],
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  signature.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${element}/*[local-name(.)='Issuer']`, action: 'after' },
  });
  return signature.getSignedXml();
}

/** @returns {string} the XML of the one message in a SOAP envelope */
export function unwrapSoap(envelope) {
  const root = parseXml(envelope).documentElement;
  const bodies = Array.from(root.getElementsByTagNameNS(SOAP, 'Body'));
  const messages = bodies.flatMap((body) => Array.from(body.childNodes).filter((node) => node.nodeType === 1));
  if (root.namespaceURI !== SOAP || root.localName !== 'Envelope' || messages.length !== 1)
    throw new Error('one SAML message in a SOAP 1.1 envelope is wanted');
  return new XMLSerializer().serializeToString(messages[0]);
}

/** @param {string} message with or without an XML declaration, which may stand at the very beginning only */
export function wrapSoap(message) {
  const bare = message.replace(/^<\?xml[^>]*\?>\s*/, '');
  return `<soap:Envelope xmlns:soap="${SOAP}"><soap:Body>${bare}</soap:Body></soap:Envelope>`;
}
