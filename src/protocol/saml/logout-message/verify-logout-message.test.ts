import { constants, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { signed } from '../../../../test/conformance/saml/attacks/sign.js';
import type { SignatureChanges } from '../../../../test/conformance/saml/attacks/sign.js';
import { envelope, query } from '../../../../test/conformance/saml/attacks/wire.js';
import { keyPair, WORLD } from '../../../../test/conformance/saml/attacks/world.js';
import { unsigned, writeMessage } from '../../../../test/conformance/saml/attacks/write-message.js';
import type { MessageChanges } from '../../../../test/conformance/saml/attacks/write-message.js';
import { expectationOf } from '../../../../test/conformance/saml/judge.js';
import { parsePostMessage, parseRedirectMessage, parseSoapMessage } from '../incoming/index.js';
import type { RefusalCode } from '../saml-message-refused.js';
import type { IncomingMessage, MessageExpectation, SamlMessageKind, VerifiedLogoutRequest, VerifiedLogoutResponse } from '../types.js';
import { LOGOUT_MESSAGE_CHECKS } from './logout-message-checks.js';
import { readClaimedSender } from './read-claimed-sender.js';
import { verifyLogoutMessage } from './verify-logout-message.js';

const { peer, stranger, weak, now } = WORLD;
const ec = keyPair('peer-ec');
const ALG = 'http://www.w3.org/2001/04/xmldsig-more#';
const PSS = 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1';
const DS = 'http://www.w3.org/2000/09/xmldsig#';
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000).toISOString();

const overPost = (xml: string, kind: SamlMessageKind = 'request'): IncomingMessage =>
  parsePostMessage({ [kind === 'request' ? 'SAMLRequest' : 'SAMLResponse']: Buffer.from(xml).toString('base64') });
const overSoap = (xml: string) => parseSoapMessage(envelope(xml));
const message = (changes: MessageChanges = {}, kind: SamlMessageKind = 'request') =>
  overPost(signed(writeMessage(WORLD, kind, changes), peer), kind);

const verify = (incoming: IncomingMessage, change: Partial<MessageExpectation> = {}) =>
  verifyLogoutMessage(incoming, { ...expectationOf(), ...change });
const verifyRequest = async (incoming: IncomingMessage, change: Partial<MessageExpectation> = {}) =>
  (await verify(incoming, change)) as VerifiedLogoutRequest;
const verifyResponse = async (incoming: IncomingMessage) => (await verify(incoming)) as VerifiedLogoutResponse;

async function expectRefused(verified: Promise<unknown>, clause: string, code: RefusalCode): Promise<void> {
  await expect(verified).rejects.toMatchObject({ name: 'SamlMessageRefused', clause, code });
}

describe('SLO-1 to SLO-11: what is read of a LogoutRequest', () => {
  it('SLO-7 the NameID with all its attributes, verbatim', async () => {
    const nameIdAttributes = ' Format="urn:f" NameQualifier="" SPNameQualifier=" sp " SPProvidedID="p"';
    const { nameId } = await verifyRequest(message({ nameId: ' e\u0301\u00e9 &lt;b&gt;\n\u3000 ', nameIdAttributes }));
    expect(nameId).toEqual({
      value: ' e\u0301\u00e9 <b>\n\u3000 ',
      format: 'urn:f',
      nameQualifier: '',
      spNameQualifier: ' sp ',
      spProvidedId: 'p',
    });
  });

  it('SLOX-19 what is absent stays absent', async () => {
    const { nameId } = await verifyRequest(message({ nameIdAttributes: '' }));
    expect(Object.keys(nameId)).toEqual(['value']);
  });

  it('SLO-8 none, one, or several SessionIndexes, in their order', async () => {
    const index = (text: string) => `<samlp:SessionIndex>${text}</samlp:SessionIndex>`;
    expect((await verifyRequest(message({ sessionIndexes: '' }))).sessionIndexes).toEqual([]);
    expect((await verifyRequest(message({ sessionIndexes: index('b') + index(' a ') }))).sessionIndexes).toEqual(['b', ' a ']);
  });

  it('SLO-5, SLO-6 times, and whatever reason it gives', async () => {
    const read = await verifyRequest(message({ notOnOrAfter: at(30) }));
    expect(read).toMatchObject({ notOnOrAfter: new Date(at(30)), issueInstant: now, reason: null });
    const xml = writeMessage(WORLD, 'request').replace(' Version=', ' Reason="urn:whatever" Version=');
    expect((await verifyRequest(overPost(signed(xml, peer)))).reason).toBe('urn:whatever');
    expect((await verifyRequest(message({ notOnOrAfter: null }))).notOnOrAfter).toBeNull();
  });

  it('SLO-10 ignores content of other namespaces, and Consent', async () => {
    const xml = writeMessage(WORLD, 'request', { extensions: '<x:x xmlns:x="urn:x" x:ID="_x"><y z="1">text</y></x:x>' });
    const withConsent = xml.replace(' Destination=', ' Consent="urn:c" Destination=');
    expect(await verifyRequest(overPost(signed(withConsent, peer)))).toMatchObject({ id: '_request-1', asynchronous: false });
  });

  it('ASLO-1, ASLO-5 the asynchronous extension of what was signed', async () => {
    const extensions = '<aslo:Asynchronous xmlns:aslo="urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"></aslo:Asynchronous>';
    expect(await verifyRequest(message({ extensions }))).toMatchObject({ asynchronous: true });
    const xml = unsigned(writeMessage(WORLD, 'request', { extensions }));
    expect(await verifyRequest(parseRedirectMessage(query(xml, 'request', peer)))).toMatchObject({ asynchronous: true });
  });

  it('SLO-4 an Issuer with the Format of entities', async () => {
    const issuerAttributes = ' Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"';
    expect(await verifyRequest(message({ issuerAttributes }))).toMatchObject({ issuer: WORLD.issuer });
  });
});

describe('SLO-12 to SLO-19: what is read of a LogoutResponse', () => {
  const code = (value: string, inside = '') => `<samlp:StatusCode Value="${value}">${inside}</samlp:StatusCode>`;
  const S = 'urn:oasis:names:tc:SAML:2.0:status:';

  it('SLO-16 the codes without their prefix, and the message', async () => {
    const status = `<samlp:Status>${code(`${S}Responder`, code(`${S}PartialLogout`, code('urn:third')))}<samlp:StatusMessage>a &amp; b</samlp:StatusMessage><samlp:StatusDetail><x>y</x></samlp:StatusDetail></samlp:Status>`;
    expect((await verifyResponse(message({ status }, 'response'))).status).toEqual({
      code: 'Responder',
      subCode: 'PartialLogout',
      message: 'a & b',
    });
    const foreign = `<samlp:Status>${code('urn:x', code('urn:y'))}</samlp:Status>`;
    expect((await verifyResponse(message({ status: foreign }, 'response'))).status).toEqual({
      code: 'urn:x',
      subCode: 'urn:y',
      message: null,
    });
  });

  it('SLO-13 InResponseTo may be missing', async () => {
    expect((await verifyResponse(message({}, 'response'))).inResponseTo).toBe(WORLD.inResponseTo);
    const xml = writeMessage(WORLD, 'response').replace(` InResponseTo="${WORLD.inResponseTo}"`, '');
    expect((await verifyResponse(overPost(signed(xml, peer), 'response'))).inResponseTo).toBeNull();
  });
});

describe('SLO-9, SLOX-15: Destination', () => {
  it('one of several URLs of ours', async () => {
    await expect(verify(message(), { destinations: ['https://a.example', WORLD.destination] })).resolves.toMatchObject({
      id: '_request-1',
    });
    await expectRefused(verify(message(), { destinations: [] }), 'SLO-9', 'wrong_destination');
  });

  it('may be missing over SOAP; when it is there it must be ours, but for an answer', async () => {
    const over = (destination: string | null, kind: SamlMessageKind) =>
      verify(overSoap(signed(writeMessage(WORLD, kind, { destination }), peer)));
    await expect(over(null, 'request')).resolves.toMatchObject({ kind: 'request' });
    await expect(over(null, 'response')).resolves.toMatchObject({ kind: 'response' });
    await expect(over('https://elsewhere.example', 'response')).resolves.toMatchObject({ kind: 'response' });
    await expectRefused(over('https://elsewhere.example', 'request'), 'SLO-9', 'wrong_destination');
  });
});

const raw =
  (hash: string, key: KeyObject, more: object = {}) =>
  (octets: string) =>
    sign(hash, Buffer.from(octets), { key, ...more }).toString('base64');
const p1363 = { dsaEncoding: 'ieee-p1363' };
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const ALGORITHMS: [name: string, uri: string, value: (octets: string) => string, certificate: string][] = [
  ['rsa-sha256', `${ALG}rsa-sha256`, raw('sha256', peer.key), peer.certificate],
  ['rsa-sha384', `${ALG}rsa-sha384`, raw('sha384', peer.key), peer.certificate],
  ['rsa-sha512', `${ALG}rsa-sha512`, raw('sha512', peer.key), peer.certificate],
  ['ecdsa-sha256', `${ALG}ecdsa-sha256`, raw('sha256', ec.key, p1363), ec.certificate],
  ['ecdsa-sha384', `${ALG}ecdsa-sha384`, raw('sha384', ec.key, p1363), ec.certificate],
  ['ecdsa-sha512', `${ALG}ecdsa-sha512`, raw('sha512', ec.key, p1363), ec.certificate],
  ['sha256-rsa-MGF1', PSS, raw('sha256', peer.key, pss), peer.certificate],
];

describe('SLO-82 to SLO-85: signatures', () => {
  const over = (changes: SignatureChanges) => overPost(signed(writeMessage(WORLD, 'request'), peer, changes));
  const inQuery = (uri: string, value: (octets: string) => string) =>
    parseRedirectMessage(query(unsigned(writeMessage(WORLD, 'request')), 'request', peer, { sigAlg: uri, sign: value }));

  it.each(ALGORITHMS)('SLO-83 takes %s in XML', async (_, uri, value, certificate) => {
    await expect(verify(over({ signatureMethod: uri, value }), { certificates: [certificate] })).resolves.toMatchObject({
      id: '_request-1',
    });
    const elsewhere = certificate === peer.certificate ? stranger.certificate : peer.certificate;
    await expect(verify(over({ signatureMethod: uri, value }), { certificates: [elsewhere] })).rejects.toMatchObject({
      code: 'bad_signature',
    });
  });

  it.each(ALGORITHMS)('SLO-43, SLO-83 takes %s in a query', async (_, uri, value, certificate) => {
    await expect(verify(inQuery(uri, value), { certificates: [certificate] })).resolves.toMatchObject({ id: '_request-1' });
    const elsewhere = certificate === peer.certificate ? stranger.certificate : peer.certificate;
    await expect(verify(inQuery(uri, value), { certificates: [elsewhere] })).rejects.toMatchObject({ code: 'bad_signature' });
  });

  it('SLO-83 takes ECDSA as r and s, and not as DER', async () => {
    const value = raw('sha256', ec.key);
    const uri = `${ALG}ecdsa-sha256`;
    await expectRefused(verify(over({ signatureMethod: uri, value }), { certificates: [ec.certificate] }), 'SLO-82', 'bad_signature');
    await expectRefused(verify(inQuery(uri, value), { certificates: [ec.certificate] }), 'SLO-82', 'bad_signature');
  });

  it.each(['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512', `${ALG}sha384`])(
    'SLO-83 takes the digest %s',
    async (digestMethod) => {
      await expect(verify(over({ digestMethod }))).resolves.toMatchObject({ id: '_request-1' });
    },
  );

  it('SLO-84 takes SHA-1 of a legacy peer, and of no other', async () => {
    const legacy = over({ signatureMethod: `${DS}rsa-sha1`, digestMethod: `${DS}sha1` });
    const legacyQuery = inQuery(`${DS}rsa-sha1`, raw('sha1', peer.key));
    for (const one of [legacy, legacyQuery, over({ digestMethod: `${DS}sha1` })]) {
      await expect(verify(one, { allowSha1: true })).resolves.toMatchObject({ id: '_request-1' });
      await expectRefused(verify(one), 'SLO-84', 'forbidden_algorithm');
    }
    await expectRefused(verify(over({ signatureMethod: `${DS}dsa-sha1` }), { allowSha1: true }), 'SLO-84', 'forbidden_algorithm');
  });

  it('SLO-74 tries every certificate, whatever stands between', async () => {
    const certificates = ['not a certificate', stranger.certificate, ec.certificate, peer.certificate];
    await expect(verify(message(), { certificates })).resolves.toMatchObject({ id: '_request-1' });
    await expect(verify(inQuery(`${ALG}rsa-sha256`, raw('sha256', peer.key)), { certificates })).resolves.toMatchObject({
      id: '_request-1',
    });
  });

  it('SLO-75 uses the keys of the metadata alone, and not the certificate in the message', async () => {
    await expectRefused(verify(overPost(signed(writeMessage(WORLD, 'request'), stranger))), 'SLO-82', 'bad_signature');
    await expectRefused(verify(message(), { certificates: [] }), 'SLO-74', 'bad_signature');
  });

  it('SLO-75 does not care that a certificate of the metadata ran out', async () => {
    const later = new Date('2060-01-01T00:00:00Z');
    const changes = { issueInstant: later.toISOString(), notOnOrAfter: null };
    await expect(verify(message(changes), { now: later })).resolves.toMatchObject({ id: '_request-1' });
  });

  it('SLO-83 refuses RSA of less than 2048 bits', async () => {
    const weakly = overPost(signed(writeMessage(WORLD, 'request'), weak));
    await expectRefused(verify(weakly, { certificates: [weak.certificate] }), 'SLO-83', 'forbidden_algorithm');
    const weakQuery = inQuery(`${ALG}rsa-sha256`, raw('sha256', weak.key));
    await expectRefused(verify(weakQuery, { certificates: [weak.certificate] }), 'SLO-83', 'forbidden_algorithm');
  });

  it('SLO-82 takes a list of prefixes, whose namespaces may be those of the envelope', async () => {
    const list = '<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"></ec:InclusiveNamespaces>';
    const transforms = `<ds:Transform Algorithm="${DS}enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">${list}</ds:Transform>`;
    // Signed with the namespace, which then moves to the envelope.
    const xml = writeMessage(WORLD, 'request').replace(' Destination', ' xmlns:xs="urn:xs" Destination');
    const moved = signed(xml, peer, { transforms }).replace(' xmlns:xs="urn:xs"', '');
    const body = envelope(moved).replace('<soap:Envelope ', '<soap:Envelope xmlns:xs="urn:xs" ');
    await expect(verify(parseSoapMessage(body))).resolves.toMatchObject({ id: '_request-1' });
    await expectRefused(verify(parseSoapMessage(envelope(moved))), 'SLO-82', 'bad_signature');
  });

  it('SLO-86 reads what was signed: other white space in tags and other quotes make no difference', async () => {
    const xml = signed(writeMessage(WORLD, 'request'), peer).replace(' ID="_request-1"', "\n\tID = '_request-1'\r\n");
    await expect(verify(overPost(xml))).resolves.toMatchObject({ id: '_request-1', nameId: { value: WORLD.nameId.value } });
  });

  it('SLO-82 takes line breaks in base64, those of carriage returns too', async () => {
    const wrapped = signed(writeMessage(WORLD, 'request'), peer).replace(
      /<ds:SignatureValue>(.*?)<\/ds:SignatureValue>/,
      (_, value: string) => `<ds:SignatureValue>&#13;\n${value.replace(/.{64}/g, '$&&#13;\n')}</ds:SignatureValue>`,
    );
    await expect(verify(overPost(wrapped))).resolves.toMatchObject({ id: '_request-1' });
    await expect(verify(overSoap(wrapped))).resolves.toMatchObject({ id: '_request-1' });
  });

  it('SLO-80 refuses what is not signed on every binding', async () => {
    const bare = unsigned(writeMessage(WORLD, 'request'));
    await expectRefused(verify(overPost(bare)), 'SLO-80', 'unsigned');
    await expectRefused(verify(overSoap(bare)), 'SLO-80', 'unsigned');
    const withoutSignature = query(bare, 'request', peer).replace(/&SigAlg.*/, '');
    await expectRefused(verify(parseRedirectMessage(withoutSignature)), 'SLO-80', 'unsigned');
  });
});

describe('SLO-88: times', () => {
  it.each([
    ['as old as may be', { issueInstant: at(-300), notOnOrAfter: null }],
    ['as far ahead as may be', { issueInstant: at(60), notOnOrAfter: null }],
    ['about to run out', { notOnOrAfter: new Date(now.getTime() + 1).toISOString() }],
  ])('takes what is %s', async (_, changes) => {
    await expect(verify(message(changes))).resolves.toMatchObject({ id: '_request-1' });
  });

  it.each([
    ['older', { issueInstant: at(-301), notOnOrAfter: null }, 'expired'],
    ['farther ahead', { issueInstant: at(61), notOnOrAfter: null }, 'not_yet_valid'],
    ['run out this moment', { notOnOrAfter: at(0) }, 'expired'],
  ] as const)('refuses what is %s', async (_, changes, code) => {
    await expectRefused(verify(message(changes)), 'SLO-88', code);
  });

  it('remembers an ID until the message is refused for its age alone', async () => {
    expect((await verifyRequest(message({ notOnOrAfter: at(30) }))).forgetAt).toEqual(new Date(at(30 + 60)));
    expect((await verifyRequest(message({ notOnOrAfter: at(100_000) }))).forgetAt).toEqual(new Date(at(300 + 60)));
    expect((await verifyRequest(message({ notOnOrAfter: null, issueInstant: at(-100) }))).forgetAt).toEqual(new Date(at(200 + 60)));
  });
});

describe('SLO-81: the order of the checks', () => {
  it('is that of the specification; what needs no key is judged of what came and again of what was signed', () => {
    expect(LOGOUT_MESSAGE_CHECKS.map(([clause]) => clause).join(' ')).toBe(
      'SLO-1 SLO-4 SLO-9 SLO-80 SLO-87 SLO-83 SLO-82 SLO-1 SLO-4 SLO-9 SLO-16 SLO-88',
    );
  });

  it('each fault hides those behind it', async () => {
    const all: MessageChanges = {
      sessionIndexes: '<x/>',
      issuer: 'https://attacker.example',
      destination: 'https://elsewhere.example',
      version: '1.0',
      issueInstant: at(-1_000),
      notOnOrAfter: at(-900),
    };
    const steps: [remove: keyof MessageChanges | null, code: RefusalCode][] = [
      [null, 'schema'],
      ['sessionIndexes', 'unknown_issuer'],
      ['issuer', 'wrong_destination'],
    ];
    for (const [remove, code] of steps) {
      if (remove) delete all[remove];
      await expect(verify(message(all))).rejects.toMatchObject({ code });
    }
    delete all.destination;
    await expect(verify(overPost(unsigned(writeMessage(WORLD, 'request', all))))).rejects.toMatchObject({ code: 'unsigned' });
    await expect(verify(overPost(signed(writeMessage(WORLD, 'request', all), stranger)))).rejects.toMatchObject({ code: 'bad_signature' });
    await expect(verify(message(all))).rejects.toMatchObject({ code: 'wrong_version' });
    delete all.version;
    await expect(verify(message(all))).rejects.toMatchObject({ code: 'expired' });
  });

  it('names no person in what it tells', async () => {
    const refused = [
      message({ nameId: 'secret-person<x/>' }),
      message({ nameId: 'secret-person', version: '1' }),
      overPost(signed(writeMessage(WORLD, 'request', { nameId: 'secret-person' }), stranger)),
    ];
    for (const one of refused) {
      const error = await verify(one).then(
        () => Promise.reject(new Error('it was taken')),
        (refusal: unknown) => refusal,
      );
      expect(JSON.stringify([error, String(error)])).not.toContain('secret-person');
    }
  });
});

describe('SLO-81: who a message says it is from', () => {
  it('is read without any key', () => {
    expect(readClaimedSender(message())).toEqual({ id: '_request-1', issuer: WORLD.issuer, inResponseTo: null });
    const response = overPost(unsigned(writeMessage(WORLD, 'response')), 'response');
    expect(readClaimedSender(response)).toEqual({ id: '_response-1', issuer: WORLD.issuer, inResponseTo: WORLD.inResponseTo });
  });

  it('is not read of what is no logout message', () => {
    expect(() => readClaimedSender(overPost('<x/>'))).toThrow('samlp:LogoutRequest');
    expect(() => readClaimedSender(message({ issuer: null }))).toThrow('Issuer');
  });
});
