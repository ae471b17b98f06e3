/** A SAML service provider that signs its logouts, and bare xml-crypto, which verifies them and does nothing else. */
import { randomBytes } from 'node:crypto';
import { DOMParser } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';
import { certificateBody, makeCertificate } from '../e2e/demo/certificate.mjs';
import { answerCalls } from './children.mjs';
import { nowMs } from './statistics.mjs';

const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol';
const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion';
const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const key = makeCertificate('bench');

answerCalls({
  /** @returns the certificate, as it stands in metadata */
  certificate: () => certificateBody(key.certificate),
  /** One signed LogoutRequest a session, as an SP sends it over SOAP. @returns messages, without their envelopes */
  sign: (issuer, destination, sessions) => sessions.map((session) => sign(issuer, destination, session)),
  /** Verifies one after the other. @returns milliseconds for all, and of processor time, and the longest that one took */
  verify: (messages) => {
    const before = process.cpuUsage();
    const times = messages.map((message) => {
      const begin = nowMs();
      verify(message);
      return nowMs() - begin;
    });
    const { user, system } = process.cpuUsage(before);
    return { ms: times.reduce((sum, time) => sum + time, 0), processorMs: (user + system) / 1_000, longestMs: Math.max(...times) };
  },
});

function sign(issuer, destination, { nameId, sessionIndex }) {
  const id = `_${randomBytes(20).toString('hex')}`;
  const now = new Date();
  const xml =
    `<samlp:LogoutRequest xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="${id}" Version="2.0" IssueInstant="${now.toISOString()}"` +
    ` Destination="${destination}" NotOnOrAfter="${new Date(now.getTime() + 300_000).toISOString()}">` +
    `<saml:Issuer>${issuer}</saml:Issuer><saml:NameID Format="${nameId.format}">${nameId.value}</saml:NameID>` +
    `<samlp:SessionIndex>${sessionIndex}</samlp:SessionIndex></samlp:LogoutRequest>`;
  const signature = new SignedXml({
    privateKey: key.privateKey,
    publicCert: key.certificate,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: EXCLUSIVE_C14N,
  });
  const root = `/*[local-name(.)='LogoutRequest']`;
  signature.addReference({
    xpath: root,
    transforms: [`${DSIG}enveloped-signature`, EXCLUSIVE_C14N],
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  signature.computeSignature(xml, { prefix: 'ds', location: { reference: `${root}/*[local-name(.)='Issuer']`, action: 'after' } });
  return signature.getSignedXml();
}

function verify(xml) {
  const document = new DOMParser().parseFromString(xml, 'text/xml');
  const [node] = Array.from(document.documentElement.childNodes).filter((child) => child.localName === 'Signature');
  const signature = new SignedXml({ publicCert: key.certificate });
  signature.loadSignature(node);
  if (!signature.checkSignature(xml)) throw new Error('bare xml-crypto does not accept what it signed');
}
