import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { DOMParser } from '@xmldom/xmldom';
import {
  buildLogoutRequest,
  buildLogoutResponse,
  buildSoapFault,
  newMessageId,
  NS,
  parsePostMessage,
  parseSoapMessage,
  REASON,
  SamlMessageRefused,
  signMessage,
  verifyLogoutMessage,
  wrapSoap,
} from '#protocol/saml';
import type { IncomingMessage, MessageExpectation, VerifiedLogoutRequest } from '#protocol/saml';
import { makeCertificate } from '../integration/egress-certificate.js';
import { envelope, makeCredential, makePeer } from '../support/saml-peer.js';
import type { Credential } from '../support/saml-peer.js';
import { makeSigner } from '../support/saml-signer.js';
import { describeWith } from './describe-with.js';
import { samlSchemas, xmlsec1 } from './products.js';
import { decryptWithXmlsec1, encryptWithXmlsec1, judgeSchema, judgeSignature, signWithXmlsec1 } from './xml-judges.js';

const LOGOUT_REQUEST = `${NS.samlp}:LogoutRequest`;
const LOGOUT_RESPONSE = `${NS.samlp}:LogoutResponse`;
const XENC = NS.xenc;
const XENC11 = 'http://www.w3.org/2009/xmlenc11#';
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const SIGNERS = { rsa: makeSigner('rsa-sha256'), ec: makeSigner('ecdsa-sha256') };

const now = new Date();
const sp = makePeer('https://sp.example/metadata');
const elliptic = makeCertificate({ commonName: 'ec peer' });
const ecPeer: Credential = { privateKey: elliptic.key, certificate: elliptic.cert };

/** With characters that canonicalisation, escaping and line ends go wrong on. */
const NAME_ID = {
  value: ' a&b <c> "d"\t\r\n\u0085\u2028\u00fc\u{1F6AA} ',
  format: 'urn:f "x" <y>',
  nameQualifier: 'https://idp.example?a=1&b=2',
};

const head = () => ({ id: newMessageId(), issuer: 'https://idp.example/metadata?a=1&b=2', issueInstant: now });
const request = (change: Partial<Parameters<typeof buildLogoutRequest>[0]> = {}) =>
  buildLogoutRequest({
    ...head(),
    destination: 'https://sp.example/slo?a=1&b=2',
    notOnOrAfter: new Date(now.getTime() + 300_000),
    reason: REASON.globalTimeout,
    nameId: NAME_ID,
    sessionIndexes: ['_1', '2 & 3'],
    ...change,
  });
const response = (change: Partial<Parameters<typeof buildLogoutResponse>[0]> = {}) =>
  buildLogoutResponse({
    ...head(),
    destination: 'https://sp.example/slo',
    inResponseTo: '_q',
    status: { code: 'Success', subCode: 'PartialLogout', message: 'two of <three> & more' },
    ...change,
  });
const encryptTo = (...methods: string[]) => ({ encryptTo: { certificate: sp.certificate, methods } });

/** Everything that we emit, by name. */
const EMITTED: [string, string, () => string][] = [
  ['a LogoutRequest', LOGOUT_REQUEST, () => request()],
  [
    'a LogoutRequest without what is optional',
    LOGOUT_REQUEST,
    () => request({ destination: undefined, reason: undefined, sessionIndexes: [] }),
  ],
  ['a LogoutRequest that wants no answer', LOGOUT_REQUEST, () => request({ asynchronous: true })],
  ['a LogoutRequest with an EncryptedID', LOGOUT_REQUEST, () => request(encryptTo())],
  ['a LogoutRequest with an EncryptedID by rsa-oaep', LOGOUT_REQUEST, () => request(encryptTo(`${XENC11}rsa-oaep`))],
  ['a LogoutResponse', LOGOUT_RESPONSE, () => response()],
  ['a LogoutResponse to nobody knows what', LOGOUT_RESPONSE, () => response({ inResponseTo: null, destination: undefined })],
  ['a LogoutResponse with Success alone', LOGOUT_RESPONSE, () => response({ status: { code: 'Success', subCode: null, message: null } })],
];

describeWith(xmlsec1, 'xmlsec1 as the judge of what we sign', () => {
  describe.each(['rsa', 'ec'] as const)('with a key of kind %s', (kind) => {
    const signer = SIGNERS[kind];
    it.each(EMITTED)('SLO-82 verifies %s, alone and in an envelope, and with no other key', (_, element, build) => {
      const signed = signMessage(build(), signer);
      expect(judgeSignature(signed, signer.certificate, element)).toBe('');
      expect(judgeSignature(wrapSoap(signed), signer.certificate, element)).toBe('');
      expect(judgeSignature(signed, sp.certificate, element)).not.toBe('');
      expect(judgeSignature(signed.replace('Version="2.0"', 'Version="2.1"'), signer.certificate, element)).not.toBe('');
    });
  });

  it.each([[[]], [[`${XENC11}aes128-gcm`]], [[`${XENC11}aes256-gcm`, `${XENC}rsa-oaep-mgf1p`]]])(
    'SLO-92 decrypts the EncryptedID for a key with the methods %j',
    (methods) => {
      const decrypted = decryptWithXmlsec1(request(encryptTo(...methods)), sp.privateKey);
      const nameId = new DOMParser().parseFromString(decrypted, 'text/xml').getElementsByTagNameNS(NS.saml, 'NameID')[0]!;
      expect(nameId.textContent).toBe(NAME_ID.value);
      expect([nameId.getAttribute('Format'), nameId.getAttribute('NameQualifier')]).toEqual([NAME_ID.format, NAME_ID.nameQualifier]);
    },
  );
});

describeWith(samlSchemas, 'the SAML schemas as the judge of what we emit', () => {
  it.each(EMITTED)('SLO-1, SLO-12 hold for %s: not signed, signed and in an envelope', (_, __, build) => {
    const xml = build();
    const signed = signMessage(xml, SIGNERS.rsa);
    for (const document of [xml, signed, signMessage(xml, SIGNERS.ec), wrapSoap(signed)]) expect(judgeSchema(document)).toBe('');
  });

  it('SLO-59 hold for a fault', () => {
    expect(judgeSchema(buildSoapFault({ faultCode: 'Client', description: 'a < b' }))).toBe('');
  });

  describe('are no rubber stamp', () => {
    it.each<[string, (xml: string) => string]>([
      [
        'the signature at the end',
        (xml) => xml.replace(/(<ds:Signature[ >][\s\S]*<\/ds:Signature>)([\s\S]*)(<\/samlp:LogoutRequest>)/, '$2$1$3'),
      ],
      ['the NameID before the Issuer', (xml) => xml.replace(/(<saml:Issuer .*<\/saml:Issuer>)(.*<\/saml:NameID>)/s, '$2$1')],
      ['an ID that begins with a digit', (xml) => xml.replace(' ID="_', ' ID="0')],
      ['no Version', (xml) => xml.replace(' Version="2.0"', '')],
      ['a time that is none', (xml) => xml.replace(/IssueInstant="[^"]*"/, 'IssueInstant="today"')],
      ['an extension of SAML itself', (xml) => xml.replace(/<aslo:.*<\/aslo:Asynchronous>/, '<samlp:SessionIndex>1</samlp:SessionIndex>')],
    ])('they refuse %s', (_, spoil) => {
      const good = signMessage(request({ asynchronous: true }), SIGNERS.rsa);
      expect(spoil(good)).not.toBe(good);
      expect(judgeSchema(spoil(good))).toMatch(/validity error|fails to validate/);
    });
  });
});

/** An empty signature for xmlsec1 to fill, behind the Issuer. */
function withTemplate(xml: string, id: string, signature: string, digest: string, prefixes = ''): string {
  const c14n = 'http://www.w3.org/2001/10/xml-exc-c14n#';
  const inclusive = prefixes === '' ? '' : `<ec:InclusiveNamespaces xmlns:ec="${c14n}" PrefixList="${prefixes}"/>`;
  const template =
    `<ds:Signature xmlns:ds="${NS.ds}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="${c14n}"/><ds:SignatureMethod Algorithm="${signature}"/>` +
    `<ds:Reference URI="#${id}"><ds:Transforms><ds:Transform Algorithm="${NS.ds}enveloped-signature"/><ds:Transform Algorithm="${c14n}">${inclusive}</ds:Transform></ds:Transforms>` +
    `<ds:DigestMethod Algorithm="${digest}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>`;
  return xml.replace('</saml:Issuer>', `</saml:Issuer>${template}`);
}

describeWith(xmlsec1, 'xmlsec1 as the signer of what we verify', () => {
  const DESTINATION = 'https://slo.example/saml/slo/corp';
  const RSA_OTHER = makeCredential('encryption');
  const id = '_of_xmlsec1';
  const plain = sp.request({ id, destination: DESTINATION, nameId: 'al\u00efce & co', sessionIndexes: ['1', '2'] });
  const expectation = (change: Partial<MessageExpectation> = {}): MessageExpectation => ({
    issuer: sp.entityId,
    certificates: [RSA_OTHER.certificate, sp.certificate, ecPeer.certificate],
    destinations: [DESTINATION],
    allowSha1: false,
    decryptionKeys: [],
    now,
    maxAgeSeconds: 300,
    skewSeconds: 60,
    ...change,
  });
  const asPost = (xml: string): IncomingMessage => parsePostMessage({ SAMLRequest: Buffer.from(xml).toString('base64') });
  const verify = async (message: IncomingMessage, change?: Partial<MessageExpectation>) =>
    (await verifyLogoutMessage(message, expectation(change))) as VerifiedLogoutRequest;

  const RSA = ['rsa-sha256', 'rsa-sha384', 'rsa-sha512'].map((name) => [name, sp] as const);
  const EC = ['ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512'].map((name) => [name, ecPeer] as const);
  const DIGESTS = [`${XENC}sha256`, `${MORE}sha384`, `${XENC}sha512`];

  it.each([...RSA, ...EC].flatMap(([name, by]) => DIGESTS.map((digest) => [name, digest, by] as const)))(
    'SLO-83 %s with the digest %s is believed over POST and SOAP, and not when a word is changed',
    async (name, digest, by) => {
      const signed = signWithXmlsec1(withTemplate(plain, id, `${MORE}${name}`, digest), by.privateKey, LOGOUT_REQUEST);
      for (const read of [(xml: string) => asPost(xml), (xml: string) => parseSoapMessage(envelope(xml))]) {
        expect(await verify(read(signed))).toMatchObject({ id, nameId: { value: 'al\u00efce & co' }, sessionIndexes: ['1', '2'] });
        await expect(verify(read(signed.replace('>2<', '>3<')))).rejects.toThrow(SamlMessageRefused);
      }
    },
  );

  it('SLO-82 a PrefixList of exclusive canonicalisation is understood', async () => {
    const template = withTemplate(plain, id, `${MORE}rsa-sha256`, DIGESTS[0]!, 'samlp xs').replace(' ID=', ' xmlns:xs="urn:xs" ID=');
    const signed = signWithXmlsec1(template, sp.privateKey, LOGOUT_REQUEST);
    expect(await verify(asPost(signed))).toMatchObject({ id });
  });

  it('SLO-84 rsa-sha1 is refused, but for a peer that is allowed to', async () => {
    const signed = signWithXmlsec1(withTemplate(plain, id, `${NS.ds}rsa-sha1`, `${NS.ds}sha1`), sp.privateKey, LOGOUT_REQUEST);
    await expect(verify(asPost(signed))).rejects.toMatchObject({ code: 'forbidden_algorithm' });
    expect(await verify(asPost(signed), { allowSha1: true })).toMatchObject({ id });
  });

  it('SLO-75 a key that is not in the metadata is refused', async () => {
    const signed = signWithXmlsec1(withTemplate(plain, id, `${MORE}rsa-sha256`, DIGESTS[0]!), RSA_OTHER.privateKey, LOGOUT_REQUEST);
    await expect(verify(asPost(signed), { certificates: [sp.certificate] })).rejects.toMatchObject({ code: 'bad_signature' });
  });

  const encrypted = (content: string, sessionKey: string): string => {
    const template =
      `<xenc:EncryptedData xmlns:xenc="${XENC}" xmlns:ds="${NS.ds}" Type="${XENC}Element"><xenc:EncryptionMethod Algorithm="${content}"/><ds:KeyInfo>` +
      `<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="${XENC}rsa-oaep-mgf1p"/><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey>` +
      `</ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>`;
    const nameId = `<saml:NameID xmlns:saml="${NS.saml}" Format="urn:f">b\u00f6b</saml:NameID>`;
    const data = encryptWithXmlsec1(template, nameId, RSA_OTHER.certificate, sessionKey);
    const xml = plain.replace(/<saml:NameID>.*<\/saml:NameID>/, `<saml:EncryptedID>${data}</saml:EncryptedID>`);
    return signWithXmlsec1(withTemplate(xml, id, `${MORE}rsa-sha256`, DIGESTS[0]!), sp.privateKey, LOGOUT_REQUEST);
  };

  it.each([
    [`${XENC11}aes128-gcm`, 'aes-128'],
    [`${XENC11}aes256-gcm`, 'aes-256'],
  ])('SLO-85, SLO-92 an EncryptedID by %s is read', async (content, sessionKey) => {
    const decryptionKeys = [makeCredential('older'), RSA_OTHER].map(({ privateKey }) => createPrivateKey(privateKey));
    const message = asPost(encrypted(content, sessionKey));
    expect(await verify(message, { decryptionKeys })).toMatchObject({ nameId: { value: 'b\u00f6b', format: 'urn:f' } });
    await expect(verify(message)).rejects.toMatchObject({ code: 'undecryptable' });
  });

  it('SLO-85 an EncryptedID by aes256-cbc is refused', async () => {
    const decryptionKeys = [createPrivateKey(RSA_OTHER.privateKey)];
    await expect(verify(asPost(encrypted(`${XENC}aes256-cbc`, 'aes-256')), { decryptionKeys })).rejects.toMatchObject({
      code: 'undecryptable',
    });
  });
});
