import { createHmac, sign } from 'node:crypto';
import { overPost, overPostAndSoap } from './attack.js';
import type { Attack } from './attack.js';
import { digestOf, ENVELOPED, EXC_C14N, referenceTo, RSA_SHA1, signatureOver, signed, TRANSFORMS } from './sign.js';
import type { SignatureChanges } from './sign.js';
import { DS, SIGNATURE_PLACE, unsigned, writeMessage } from './write-message.js';
import type { World } from './world.js';

const WITH_COMMENTS = `${EXC_C14N}WithComments`;
const INCLUSIVE = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const transform = (algorithm: string, content = '') => `<ds:Transform Algorithm="${algorithm}">${content}</ds:Transform>`;

/** Signatures that are not over the message, not by the peer, or not of the one form. @see SLOX-9, SLOX-10 */
export function signatureTricks(world: World): Attack[] {
  return [...shapes(world), ...algorithms(world), ...signers(world), ...changesAfterSigning(world), ...identifiers(world)];
}

/** Made with the peer's own key: what is refused is the form. */
function shapes(world: World): Attack[] {
  const original = writeMessage(world, 'request');
  const o = unsigned(original);
  const evil = unsigned(writeMessage(world, 'request', { nameId: world.victim }));
  const evilMessage = writeMessage(world, 'request', { nameId: world.victim });
  const evilDigest = digestOf(evil);
  const s = (changes: SignatureChanges) => signed(original, world.peer, changes);
  const good = signatureOver(o, '_request-1', world.peer);
  const bad = signatureOver(evil, '_request-1', world.stranger);
  const digest = digestOf(o);
  const inComment = `<!--${digest}-->${evilDigest}`;
  const list: [name: string, xml: string, clause?: string, refusal?: 'schema' | 'bad_signature' | 'forbidden_xml'][] = [
    ['two-signatures-good-first', evilMessage.replace(SIGNATURE_PLACE, () => good + bad), 'SLOX-9', 'schema'],
    ['two-signatures-bad-first', evilMessage.replace(SIGNATURE_PLACE, () => bad + good), 'SLOX-9', 'schema'],
    [
      'second-signature-in-extensions',
      evilMessage.replace(SIGNATURE_PLACE, () => `${bad}<samlp:Extensions>${good}</samlp:Extensions>`),
      'SLOX-9',
      'schema',
    ],
    ['second-signature-in-object', s({ behind: `<ds:Object>${good}</ds:Object>` })],
    ['two-signed-infos-evil-first', evilSignedInfo(evilMessage, good, evilDigest, digest, 'first')],
    ['two-signed-infos-evil-second', evilSignedInfo(evilMessage, good, evilDigest, digest, 'second')],
    ['signed-info-inside-signed-info', s({ references: (one) => `${one}<ds:SignedInfo>${one}</ds:SignedInfo>` })],
    ['comment-in-digest-value', evilMessage.replace(SIGNATURE_PLACE, () => good.replace(digest, inComment)), 'SLOX-9', 'forbidden_xml'],
    ['element-in-digest-value', evilMessage.replace(SIGNATURE_PLACE, () => good.replace(digest, `${evilDigest}<x>${digest}</x>`))],
    [
      'two-digest-values',
      s({ references: (one) => one.replace('</ds:Reference>', `<ds:DigestValue>${evilDigest}</ds:DigestValue></ds:Reference>`) }),
    ],
    [
      'element-in-signature-value',
      s({ value: (info) => `${sign('sha256', Buffer.from(info), world.peer.key).toString('base64')}<x></x>` }),
    ],
    ['no-reference', s({ references: () => '' })],
    ['two-references', s({ references: (one) => one + one })],
    ['reference-to-something-else-too', s({ references: (one) => one + referenceTo(o, '_request-1', { uri: ' URI="#other"' }) })],
    ['empty-uri', s({ uri: ' URI=""' }), 'SLO-82'],
    ['no-uri', s({ uri: '' }), 'SLO-82'],
    ['external-uri', s({ uri: ' URI="https://attacker.example/o.xml"' }), 'SLO-84'],
    ['file-uri', s({ uri: ' URI="file:///etc/passwd"' }), 'SLO-84'],
    ['xpointer-uri', s({ uri: ' URI="#xpointer(/)"' }), 'SLO-82'],
    ['xpointer-id-uri', s({ uri: ` URI="#xpointer(id('_request-1'))"` }), 'SLO-82'],
    ['uri-without-hash', s({ uri: ' URI="_request-1"' }), 'SLO-82'],
    ['manifest-type', s({ uri: ` Type="${DS}Manifest" URI="#_request-1"` })],
    ['object', s({ behind: '<ds:Object></ds:Object>' }), 'SLOX-8'],
    ['retrieval-method', s({ keyInfo: '<ds:RetrievalMethod URI="https://attacker.example/key"></ds:RetrievalMethod>' }), 'SLO-84'],
    ['hmac-output-length', s({ signatureMethodContent: '<ds:HMACOutputLength>8</ds:HMACOutputLength>' })],
    ['three-transforms', s({ transforms: TRANSFORMS + transform(EXC_C14N) }), 'SLO-82'],
    ['no-enveloped-transform', s({ transforms: transform(EXC_C14N) }), 'SLO-82'],
    ['only-enveloped-transform', s({ transforms: transform(ENVELOPED) }), 'SLO-82'],
    ['no-transforms', s({ references: (one) => one.replace(/<ds:Transforms>.*<\/ds:Transforms>/, '') }), 'SLO-82'],
    ['signature-before-issuer', signatureBeforeIssuer(original, good), 'SLO-87', 'schema'],
    ['signature-at-the-end', o.replace('</samlp:LogoutRequest>', `${good}</samlp:LogoutRequest>`), 'SLO-87', 'schema'],
    ['signature-in-extensions', o.replace('<saml:NameID', `<samlp:Extensions>${good}</samlp:Extensions><saml:NameID`), 'SLOX-9', 'schema'],
    ['signature-in-name-id', o.replace('</saml:NameID>', `${good}</saml:NameID>`), 'SLOX-9', 'schema'],
  ];
  return list.flatMap(([name, xml, clause = 'SLOX-9', refusal = 'bad_signature']) =>
    overPostAndSoap(name, clause, 'request', refusal, xml, refusal === 'forbidden_xml' ? 'fault Client' : refusal),
  );
}

function evilSignedInfo(message: string, good: string, evilDigest: string, digest: string, place: 'first' | 'second'): string {
  const [info] = /<ds:SignedInfo>.*<\/ds:SignedInfo>/.exec(good)!;
  const evil = info.replace(digest, evilDigest);
  return message.replace(SIGNATURE_PLACE, () => good.replace(info, place === 'first' ? evil + info : info + evil));
}

function signatureBeforeIssuer(message: string, signature: string): string {
  return unsigned(message).replace('<saml:Issuer', `${signature}<saml:Issuer`);
}

/** @see SLO-83, SLO-84 */
function algorithms(world: World): Attack[] {
  const original = writeMessage(world, 'request');
  const s = (changes: SignatureChanges) => signed(original, world.peer, changes);
  const hmac = (hash: string) => (info: string) => createHmac(hash, world.peer.certificate).update(info).digest('base64');
  const second = (algorithm: string, content = '') => transform(ENVELOPED) + transform(algorithm, content);
  const list: [name: string, changes: SignatureChanges, refusal?: 'bad_signature' | 'forbidden_algorithm'][] = [
    ['rsa-sha1', { signatureMethod: RSA_SHA1 }],
    ['sha1-digest', { digestMethod: `${DS}sha1` }],
    ['md5-digest', { digestMethod: 'http://www.w3.org/2001/04/xmldsig-more#md5' }],
    ['rsa-md5', { signatureMethod: 'http://www.w3.org/2001/04/xmldsig-more#rsa-md5' }],
    ['dsa-sha1', { signatureMethod: `${DS}dsa-sha1` }],
    ['hmac-sha1-with-the-certificate', { signatureMethod: `${DS}hmac-sha1`, value: hmac('sha1') }],
    ['hmac-sha256-with-the-certificate', { signatureMethod: 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256', value: hmac('sha256') }],
    ['no-algorithm', { signatureMethod: '' }],
    ['unknown-algorithm', { signatureMethod: 'urn:none' }],
    ['algorithm-of-an-object-prototype', { signatureMethod: 'constructor' }],
    ['algorithm-in-upper-case', { signatureMethod: 'HTTP://WWW.W3.ORG/2001/04/XMLDSIG-MORE#RSA-SHA256' }],
    ['ecdsa-with-an-rsa-key', { signatureMethod: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256' }, 'bad_signature'],
    ['c14n-with-comments', { c14n: WITH_COMMENTS }],
    ['inclusive-c14n', { c14n: INCLUSIVE }],
    ['transform-c14n-with-comments', { transforms: second(WITH_COMMENTS) }],
    ['transform-inclusive-c14n', { transforms: second(INCLUSIVE) }],
    ['transforms-in-wrong-order', { transforms: transform(EXC_C14N) + transform(ENVELOPED) }],
    ['transform-base64', { transforms: second(`${DS}base64`) }],
    [
      'transform-xpath',
      { transforms: second('http://www.w3.org/TR/1999/REC-xpath-19991116', '<ds:XPath>not(self::x)</ds:XPath>') },
      'bad_signature',
    ],
    ['transform-xpath-filter', { transforms: second('http://www.w3.org/2002/06/xmldsig-filter2') }],
    ['transform-xslt', { transforms: second('http://www.w3.org/TR/1999/REC-xslt-19991116', XSLT) }, 'bad_signature'],
  ];
  return list.flatMap(([name, changes, refusal = 'forbidden_algorithm']) =>
    overPostAndSoap(name, 'SLO-84', 'request', refusal, s(changes)),
  );
}

const XSLT =
  '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/"><o></o></xsl:template></xsl:stylesheet>';

/** In good form, and by somebody else. */
function signers(world: World): Attack[] {
  return (['request', 'response'] as const).flatMap((kind) => {
    const original = writeMessage(world, kind);
    const forged = writeMessage(world, kind, { nameId: world.victim });
    const peerCertificate = world.peer.certificate.replace(/-----[^-]+-----|\s/g, '');
    const asPeer = `<ds:X509Data><ds:X509Certificate>${peerCertificate}</ds:X509Certificate></ds:X509Data>`;
    return [
      ...overPostAndSoap('unsigned', 'SLOX-10', kind, 'unsigned', unsigned(original)),
      ...overPostAndSoap('signed-by-another-entity', 'SLOX-9', kind, 'bad_signature', signed(forged, world.stranger)),
      ...overPostAndSoap(
        'signed-by-another-entity-as-the-peer',
        'SLOX-9',
        kind,
        'bad_signature',
        signed(forged, world.stranger, { keyInfo: asPeer }),
      ),
      ...overPostAndSoap('signed-with-a-weak-key', 'SLO-83', kind, 'bad_signature', signed(original, world.weak)),
      ...overPostAndSoap('empty-signature-value', 'SLOX-10', kind, 'bad_signature', signed(original, world.peer, { value: () => '' })),
      ...overPostAndSoap(
        'zeros-as-signature-value',
        'SLOX-10',
        kind,
        'bad_signature',
        signed(original, world.peer, { value: () => Buffer.alloc(256).toString('base64') }),
      ),
      ...overPostAndSoap('own-digest-under-a-foreign-value', 'SLOX-9', kind, 'bad_signature', ownDigest(world, original, forged)),
    ];
  });
}

/** SignedInfo of the forged message, SignatureValue of the original. */
function ownDigest(world: World, original: string, forged: string): string {
  const [value] = /<ds:SignatureValue>.*<\/ds:SignatureValue>/.exec(signed(original, world.peer))!;
  // A response is forged in its ID alone.
  const other = forged === original ? original.replace(/ ID="[^"]*"/, ' ID="_forged-1"') : forged;
  return signed(other, world.peer).replace(/<ds:SignatureValue>.*<\/ds:SignatureValue>/, () => value);
}

/** Signed well by the peer, and not what was signed any more. @see SLOX-12, SLOX-19 */
function changesAfterSigning(world: World): Attack[] {
  const request = signed(writeMessage(world, 'request'), world.peer);
  const response = signed(writeMessage(world, 'response', { status: REFUSED }), world.peer);
  const { value, format, spNameQualifier } = world.nameId;
  const list: [name: string, clause: string, xml: string][] = [
    ['other-name-id', 'SLO-82', request.replace(`>${value}<`, `>${world.victim}<`)],
    ['name-id-decomposed', 'SLOX-19', request.replace(`>${value}<`, `>${value.normalize('NFD')}<`)],
    ['name-id-with-a-blank', 'SLOX-19', request.replace(`>${value}<`, `>${value} <`)],
    ['name-id-in-upper-case', 'SLOX-19', request.replace(`>${value}<`, `>${value.toUpperCase()}<`)],
    ['name-id-with-a-zero-width-space', 'SLOX-19', request.replace(`>${value}<`, `>${value}\u200b<`)],
    [
      'other-sp-name-qualifier',
      'SLOX-19',
      request.replace(`SPNameQualifier="${spNameQualifier}"`, 'SPNameQualifier="https://victim.example"'),
    ],
    ['no-sp-name-qualifier', 'SLOX-19', request.replace(` SPNameQualifier="${spNameQualifier}"`, '')],
    ['other-format', 'SLOX-19', request.replace(`Format="${format}"`, 'Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"')],
    ['other-session-index', 'SLO-82', request.replace(world.sessionIndex, '_session-2')],
    ['no-session-index', 'SLO-82', request.replace(/<samlp:SessionIndex>.*<\/samlp:SessionIndex>/, '')],
    ['other-id', 'SLO-82', request.replace(' ID="_request-1"', ' ID="_request-2"')],
    ['other-id-and-reference', 'SLO-82', request.replaceAll('_request-1', '_request-2')],
    ['later-not-on-or-after', 'SLO-82', request.replace(/NotOnOrAfter="[^"]*"/, 'NotOnOrAfter="2099-01-01T00:00:00Z"')],
    [
      'asynchronous-added',
      'ASLO-5',
      request.replace(
        '<saml:NameID',
        `<samlp:Extensions><aslo:Asynchronous xmlns:aslo="urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"></aslo:Asynchronous></samlp:Extensions><saml:NameID`,
      ),
    ],
  ];
  const responses: typeof list = [
    ['other-in-response-to', 'SLOX-14', response.replace(world.inResponseTo, '_another-request-of-ours')],
    ['no-in-response-to', 'SLOX-14', response.replace(` InResponseTo="${world.inResponseTo}"`, '')],
    ['refusal-made-success', 'SLO-82', response.replace('status:Responder', 'status:Success')],
    ['partial-logout-taken-out', 'SLO-82', response.replace(/<samlp:StatusCode Value="[^"]*PartialLogout"><\/samlp:StatusCode>/, '')],
  ];
  return [
    ...list.flatMap(([name, clause, xml]) => overPostAndSoap(name, clause, 'request', 'bad_signature', xml)),
    ...responses.flatMap(([name, clause, xml]) => overPostAndSoap(name, clause, 'response', 'bad_signature', xml)),
  ];
}

const STATUS = 'urn:oasis:names:tc:SAML:2.0:status:';
const REFUSED = `<samlp:Status><samlp:StatusCode Value="${STATUS}Responder"><samlp:StatusCode Value="${STATUS}PartialLogout"></samlp:StatusCode></samlp:StatusCode></samlp:Status>`;

/** Two elements with one ID, however it is spelled. */
function identifiers(world: World): Attack[] {
  const twin = (attribute: string) => writeMessage(world, 'request', { extensions: `<x:x xmlns:x="urn:x" ${attribute}></x:x>` });
  const forms = {
    'same-id': 'ID="_request-1"',
    'same-id-as-Id': 'Id="_request-1"',
    'same-id-as-xml-id': 'xml:id="_request-1"',
    'same-id-in-a-namespace': 'x:ID="_request-1"',
  };
  const inner = writeMessage(world, 'request', { extensions: '<x:x xmlns:x="urn:x" ID="_inner"></x:x>' });
  const overInner = signatureOver('<x:x xmlns:x="urn:x" ID="_inner"></x:x>', '_inner', world.peer);
  const keyInfo = { keyInfo: `<ds:KeyName Id="_request-1">x</ds:KeyName>` };
  const rootId = (attribute: string) => signed(writeMessage(world, 'request', { attributes: ` ${attribute}` }), world.peer);
  return [
    ...Object.entries(forms).flatMap(([name, attribute]) =>
      overPostAndSoap(name, 'SLOX-9', 'request', 'bad_signature', signed(twin(attribute), world.peer)),
    ),
    ...overPostAndSoap(
      'same-id-in-key-info',
      'SLOX-9',
      'request',
      'bad_signature',
      signed(writeMessage(world, 'request'), world.peer, keyInfo),
    ),
    ...overPostAndSoap(
      'reference-to-an-inner-element',
      'SLOX-9',
      'request',
      'bad_signature',
      inner.replace(SIGNATURE_PLACE, () => overInner),
    ),
    ...overPostAndSoap('id-and-Id', 'SLOX-9', 'request', 'schema', rootId('Id="_other"')),
    ...overPostAndSoap('id-and-xml-id', 'SLOX-9', 'request', 'schema', rootId('xml:id="_other"')),
    overPost(
      'Id-instead-of-ID',
      'SLOX-9',
      'request',
      'schema',
      signed(writeMessage(world, 'request'), world.peer).replace(' ID="', ' Id="'),
    ),
  ];
}
