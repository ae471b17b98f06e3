import { constants, createCipheriv, publicEncrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { RefusalCode, SamlMessageKind } from '#protocol/saml';
import { overPost, overPostAndSoap, overRedirect } from './attack.js';
import type { Attack } from './attack.js';
import { signed } from './sign.js';
import { query } from './wire.js';
import { DS, SAML, unsigned, writeMessage } from './write-message.js';
import type { MessageChanges } from './write-message.js';
import type { World } from './world.js';

const KINDS: readonly SamlMessageKind[] = ['request', 'response'];
const XENC = 'http://www.w3.org/2001/04/xmlenc#';
const XENC11 = 'http://www.w3.org/2009/xmlenc11#';
const iso = (date: Date) => date.toISOString().replace('.000Z', 'Z');

/** Signed well by the peer over what it says, which is not to be believed. @see SLOX-14 to SLOX-17, SLOX-20, SLO-1 to SLO-16, SLO-85 */
export function messageTricks(world: World): Attack[] {
  return [...KINDS.flatMap((kind) => common(world, kind)), ...requests(world), ...responses(world), ...encrypted(world)];
}

function everywhere(
  world: World,
  kind: SamlMessageKind,
  name: string,
  clause: string,
  refusal: RefusalCode,
  changes: MessageChanges,
): Attack[] {
  const message = writeMessage(world, kind, changes);
  return [
    ...overPostAndSoap(name, clause, kind, refusal, signed(message, world.peer)),
    overRedirect(name, clause, kind, refusal, query(unsigned(message), kind, world.peer)),
  ];
}

function common(world: World, kind: SamlMessageKind): Attack[] {
  const at = (seconds: number) => iso(new Date(world.now.getTime() + seconds * 1_000));
  const list: [name: string, clause: string, refusal: RefusalCode, changes: MessageChanges][] = [
    ['issued-long-ago', 'SLOX-14', 'expired', { issueInstant: at(-3_600), notOnOrAfter: null }],
    ['issued-in-the-future', 'SLOX-14', 'not_yet_valid', { issueInstant: at(3_600) }],
    ['local-time', 'SLO-3', 'schema', { issueInstant: at(0).replace('Z', '') }],
    ['time-with-an-offset', 'SLO-3', 'schema', { issueInstant: at(0).replace('Z', '+01:00') }],
    ['time-of-no-calendar', 'SLO-3', 'schema', { issueInstant: at(0).replace(/-\d\d-\d\dT/, '-02-30T') }],
    ['unknown-issuer', 'SLOX-16', 'unknown_issuer', { issuer: 'https://attacker.example/saml' }],
    ['issuer-of-another-entity', 'SLOX-16', 'unknown_issuer', { issuer: world.otherIssuer }],
    ['issuer-with-blanks', 'SLOX-16', 'unknown_issuer', { issuer: ` ${world.issuer} ` }],
    ['issuer-in-other-case', 'SLOX-16', 'unknown_issuer', { issuer: otherCase(world.issuer) }],
    ['issuer-with-a-slash', 'SLOX-16', 'unknown_issuer', { issuer: `${world.issuer}/` }],
    ['empty-issuer', 'SLOX-16', 'unknown_issuer', { issuer: '' }],
    ['no-issuer', 'SLOX-16', 'schema', { issuer: null }],
    [
      'issuer-that-is-no-entity',
      'SLOX-16',
      'schema',
      { issuerAttributes: ' Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"' },
    ],
    ['issuer-with-a-qualifier', 'SLOX-16', 'schema', { issuerAttributes: ' NameQualifier="x"' }],
    ['version-1.1', 'SLO-16', 'wrong_version', { version: '1.1' }],
    ['version-3.0', 'SLO-16', 'wrong_version', { version: '3.0' }],
    ['id-that-begins-with-a-digit', 'SLO-2', 'schema', { id: '1-request' }],
    ['empty-id', 'SLO-2', 'schema', { id: '' }],
    ['unknown-attribute', 'SLOX-20', 'schema', { attributes: ' ResponseLocation="https://attacker.example/"' }],
    ['return-address', 'SLOX-20', 'schema', { attributes: ' AssertionConsumerServiceURL="https://attacker.example/"' }],
    ['saml-element-in-extensions', 'SLO-10', 'schema', { extensions: `<saml:NameID xmlns:saml="${SAML}">${world.victim}</saml:NameID>` }],
    ['empty-extensions', 'SLO-10', 'schema', { extensions: '' }],
  ];
  const steering = unsigned(writeMessage(world, kind, { issuer: 'https://attacker.example/', destination: world.destination }));
  return [
    ...list.flatMap(([name, clause, refusal, changes]) => everywhere(world, kind, name, clause, refusal, changes)),
    ...destinations(world, kind),
    overPost('unsigned-from-a-stranger', 'SLOX-20', kind, 'unknown_issuer', steering),
  ];
}

function destinations(world: World, kind: SamlMessageKind): Attack[] {
  const { host, hostname, pathname } = new URL(world.destination);
  const list: [name: string, destination: string | null][] = [
    ['no-destination', null],
    ['empty-destination', ''],
    ['other-host', `https://attacker.example${pathname}`],
    ['other-path', `${world.destination}/x`],
    ['trailing-slash', `${world.destination}/`],
    ['other-scheme', world.destination.replace(/^https?/, (scheme) => (scheme === 'https' ? 'http' : 'https'))],
    ['other-tenant', world.otherDestination],
    ['query-added', `${world.destination}?x`],
    ['other-case', otherCase(world.destination)],
    ['port-added', world.destination.replace(host, `${hostname}:444`)],
    ['blank-added', `${world.destination} `],
  ];
  return list.flatMap(([name, destination]) => {
    const all = everywhere(world, kind, name, 'SLOX-15', 'wrong_destination', { destination });
    // Over SOAP a request may have none, and an answer comes back where it was asked for.
    return all.filter(({ binding }) => binding !== 'soap' || (kind === 'request' && destination !== null));
  });
}

function requests(world: World): Attack[] {
  const id = `<saml:NameID xmlns:saml="${SAML}">${world.victim}</saml:NameID>`;
  const index = `<samlp:SessionIndex>${world.sessionIndex}</samlp:SessionIndex>`;
  const at = (seconds: number) => iso(new Date(world.now.getTime() + seconds * 1_000));
  const list: [name: string, clause: string, refusal: RefusalCode, changes: MessageChanges][] = [
    ['expired', 'SLOX-14', 'expired', { notOnOrAfter: at(-1) }],
    ['expired-this-moment', 'SLOX-14', 'expired', { notOnOrAfter: at(0) }],
    ['expiry-that-is-no-time', 'SLO-3', 'schema', { notOnOrAfter: 'never' }],
    ['two-name-ids', 'SLO-1', 'schema', { identifier: id + id }],
    ['nobody', 'SLO-1', 'schema', { identifier: '' }],
    ['base-id', 'SLO-1', 'schema', { identifier: `<saml:BaseID xmlns:saml="${SAML}"></saml:BaseID>` }],
    ['name-id-of-another-namespace', 'SLO-1', 'schema', { identifier: '<NameID>x</NameID>' }],
    ['session-index-before-name-id', 'SLO-1', 'schema', { identifier: index + id }],
    ['empty-name-id', 'SLO-7', 'schema', { nameId: '' }],
    ['name-id-with-unknown-attribute', 'SLO-7', 'schema', { nameIdAttributes: ' Other="x"' }],
    ['name-id-with-elements', 'SLO-7', 'schema', { nameId: 'a<x></x>' }],
    ['empty-session-index', 'SLO-8', 'schema', { sessionIndexes: '<samlp:SessionIndex></samlp:SessionIndex>' }],
    ['session-index-with-attributes', 'SLO-8', 'schema', { sessionIndexes: '<samlp:SessionIndex x="y">a</samlp:SessionIndex>' }],
    ['unknown-element', 'SLO-1', 'schema', { sessionIndexes: `${index}<x></x>` }],
    ['text-between-elements', 'SLO-1', 'schema', { sessionIndexes: `x${index}` }],
    ['in-response-to-on-a-request', 'SLO-1', 'schema', { attributes: ' InResponseTo="_x"' }],
  ];
  return list.flatMap(([name, clause, refusal, changes]) => everywhere(world, 'request', name, clause, refusal, changes));
}

function responses(world: World): Attack[] {
  const code = (value: string, inside = '') => `<samlp:StatusCode Value="${value}">${inside}</samlp:StatusCode>`;
  const success = code('urn:oasis:names:tc:SAML:2.0:status:Success');
  const list: [name: string, clause: string, changes: MessageChanges][] = [
    ['no-status', 'SLO-12', { status: '' }],
    ['two-statuses', 'SLO-12', { status: `<samlp:Status>${success}</samlp:Status><samlp:Status>${success}</samlp:Status>` }],
    ['status-without-code', 'SLO-16', { status: '<samlp:Status></samlp:Status>' }],
    ['status-with-two-codes', 'SLO-16', { status: `<samlp:Status>${code('urn:x')}${success}</samlp:Status>` }],
    ['code-with-two-codes', 'SLO-16', { status: `<samlp:Status>${code('urn:x', success + success)}</samlp:Status>` }],
    ['code-without-value', 'SLO-16', { status: '<samlp:Status><samlp:StatusCode></samlp:StatusCode></samlp:Status>' }],
    ['code-of-another-namespace', 'SLO-16', { status: '<samlp:Status><StatusCode Value="x"></StatusCode></samlp:Status>' }],
    ['in-response-to-that-is-no-id', 'SLO-13', { inResponseTo: '1' }],
    ['not-on-or-after-on-a-response', 'SLO-12', { attributes: ' NotOnOrAfter="2099-01-01T00:00:00Z"' }],
    [
      'response-with-a-name-id',
      'SLO-12',
      { status: `<samlp:Status>${success}</samlp:Status><saml:NameID xmlns:saml="${SAML}">x</saml:NameID>` },
    ],
    [
      'signed-message-in-status-detail',
      'SLOX-7',
      {
        status: `<samlp:Status>${success}<samlp:StatusDetail>${unsigned(writeMessage(world, 'response', { id: '_2' }))}</samlp:StatusDetail></samlp:Status>`,
      },
    ],
  ];
  return list.flatMap(([name, clause, changes]) => everywhere(world, 'response', name, clause, 'schema', changes));
}

interface Encryption {
  content?: string;
  to?: KeyObject;
  cipher?: string;
  transport?: string;
  padding?: number;
  tamper?: (octets: Buffer) => Buffer;
  oaep?: string;
}

/** @see SLO-11, SLO-85 */
function encrypted(world: World): Attack[] {
  const list: [name: string, changes: Encryption][] = [
    ['cbc', { cipher: `${XENC}aes128-cbc` }],
    ['triple-des', { cipher: `${XENC}tripledes-cbc` }],
    ['gcm-with-192-bits', { cipher: `${XENC11}aes192-gcm` }],
    ['rsa-1.5', { transport: `${XENC}rsa-1_5`, padding: constants.RSA_PKCS1_PADDING }],
    ['encrypted-for-somebody-else', { to: world.stranger.key }],
    ['changed-text', { tamper: (octets) => flip(octets, 14) }],
    ['changed-tag', { tamper: (octets) => flip(octets, octets.length - 1) }],
    ['short-tag', { tamper: (octets) => octets.subarray(0, -12) }],
    ['nothing-but-an-iv', { tamper: (octets) => octets.subarray(0, 12) }],
    ['encrypted-assertion', { content: `<saml:Assertion xmlns:saml="${SAML}"></saml:Assertion>` }],
    [
      'encrypted-doctype',
      { content: `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><saml:NameID xmlns:saml="${SAML}">&e;</saml:NameID>` },
    ],
    ['encrypted-comment', { content: `<saml:NameID xmlns:saml="${SAML}">a<!-- -->b</saml:NameID>` }],
    ['encrypted-text', { content: world.victim }],
    [
      'two-encrypted-name-ids',
      { content: `<saml:NameID xmlns:saml="${SAML}">a</saml:NameID><saml:NameID xmlns:saml="${SAML}">b</saml:NameID>` },
    ],
    ['oaep-parameters', { oaep: '<xenc:OAEPparams>eA==</xenc:OAEPparams>' }],
    ['oaep-with-an-unknown-hash', { oaep: '<ds:DigestMethod Algorithm="urn:x"></ds:DigestMethod>' }],
  ];
  return list.flatMap(([name, changes]) =>
    overPostAndSoap(
      name,
      'SLO-85',
      'request',
      'undecryptable',
      signed(writeMessage(world, 'request', { identifier: encryptedId(world, changes) }), world.peer),
    ),
  );
}

function flip(octets: Buffer, at: number): Buffer {
  const changed = Buffer.from(octets);
  changed[at]! ^= 1;
  return changed;
}

export function encryptedId(world: World, changes: Encryption = {}): string {
  const {
    to = world.ours.key,
    cipher = `${XENC11}aes128-gcm`,
    transport = `${XENC}rsa-oaep-mgf1p`,
    tamper = (octets) => octets,
    oaep = '',
  } = changes;
  const { padding = constants.RSA_PKCS1_OAEP_PADDING, content = `<saml:NameID xmlns:saml="${SAML}">${world.nameId.value}</saml:NameID>` } =
    changes;
  // The same each time, so that the documents are: nothing is secret here.
  const key = Buffer.alloc(16, 7);
  const iv = Buffer.alloc(12, 9);
  const encryptor = createCipheriv('aes-128-gcm', key, iv);
  const octets = tamper(Buffer.concat([iv, encryptor.update(content, 'utf8'), encryptor.final(), encryptor.getAuthTag()]));
  const wrapped = publicEncrypt({ key: to, padding, oaepHash: 'sha1' }, key).toString('base64');
  const method = (algorithm: string, inside = '') => `<xenc:EncryptionMethod Algorithm="${algorithm}">${inside}</xenc:EncryptionMethod>`;
  const data = (value: string) => `<xenc:CipherData><xenc:CipherValue>${value}</xenc:CipherValue></xenc:CipherData>`;
  const encryptedKey = `<xenc:EncryptedKey>${method(transport, oaep)}${data(wrapped)}</xenc:EncryptedKey>`;
  const keyInfo = `<ds:KeyInfo xmlns:ds="${DS}">${encryptedKey}</ds:KeyInfo>`;
  return `<saml:EncryptedID xmlns:saml="${SAML}"><xenc:EncryptedData xmlns:xenc="${XENC}" Type="${XENC}Element">${method(cipher)}${keyInfo}${data(octets.toString('base64'))}</xenc:EncryptedData></saml:EncryptedID>`;
}

/** The same but for the case of one letter. */
function otherCase(text: string): string {
  return text.replace(/[a-z](?=[^a-z]*$)/, (letter) => letter.toUpperCase());
}
