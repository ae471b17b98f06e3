import { createHmac, sign } from 'node:crypto';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { RefusalCode, SamlMessageKind } from '#protocol/saml';
import { overPost, overRedirect } from './attack.js';
import type { Attack } from './attack.js';
import { RSA_SHA1, RSA_SHA256, signed } from './sign.js';
import { form, parameterOf, query } from './wire.js';
import type { QueryChanges } from './wire.js';
import { unsigned, writeMessage } from './write-message.js';
import type { World } from './world.js';

const KINDS: readonly SamlMessageKind[] = ['request', 'response'];

/** What only the query of a URL can do. @see SLO-41 to SLO-45, SLOX-10, SLOX-17, SLOX-18 */
export function queryTricks(world: World): Attack[] {
  return [
    ...KINDS.flatMap((kind) => [...unsignedOnes(world, kind), ...signatures(world, kind), ...packing(world, kind)]),
    ...doubled(world),
    deflatedPost(world),
  ];
}

function attacks(
  world: World,
  kind: SamlMessageKind,
  clause: string,
  list: [name: string, refusal: RefusalCode, changes: QueryChanges][],
): Attack[] {
  const xml = unsigned(writeMessage(world, kind));
  return list.map(([name, refusal, changes]) => overRedirect(name, clause, kind, refusal, query(xml, kind, world.peer, changes)));
}

const without = (name: string) => (text: string) =>
  text
    .split('&')
    .filter((pair) => !pair.startsWith(`${name}=`))
    .join('&');

function unsignedOnes(world: World, kind: SamlMessageKind): Attack[] {
  const embedded = signed(writeMessage(world, kind), world.peer);
  const bare = (text: string) => without('SigAlg')(without('Signature')(text));
  return [
    ...attacks(world, kind, 'SLOX-10', [
      ['unsigned', 'unsigned', { tamper: bare }],
      ['no-signature-value', 'unsigned', { tamper: without('Signature') }],
      ['no-sig-alg', 'unsigned', { tamper: without('SigAlg') }],
      ['empty-signature', 'unsigned', { tamper: (text) => text.replace(/Signature=.*$/, 'Signature=') }],
      ['signature-without-value', 'unsigned', { tamper: (text) => text.replace(/Signature=.*$/, 'Signature') }],
      ['empty-sig-alg', 'unsigned', { sigAlg: '' }],
    ]),
    overRedirect('embedded-signature-alone', 'SLOX-10', kind, 'unsigned', query(embedded, kind, world.peer, { tamper: bare })),
    overRedirect(
      'embedded-signature-and-an-empty-one',
      'SLOX-10',
      kind,
      'unsigned',
      query(embedded, kind, world.peer, { tamper: (text) => text.replace(/Signature=.*$/, 'Signature=') }),
    ),
    overRedirect('embedded-signature-too', 'SLO-45', kind, 'bad_signature', query(embedded, kind, world.peer)),
    overRedirect('embedded-signature-and-a-strangers', 'SLOX-10', kind, 'bad_signature', query(embedded, kind, world.stranger)),
  ];
}

function signatures(world: World, kind: SamlMessageKind): Attack[] {
  const message = parameterOf(kind);
  const other = unsigned(writeMessage(world, kind, { id: '_forged-1', nameId: world.victim, inResponseTo: '_another-request-of-ours' }));
  const otherValue = encodeURIComponent(deflateRawSync(other).toString('base64'));
  const byPeer = (octets: string) => sign('sha256', Buffer.from(octets), world.peer.key).toString('base64');
  const hmac = (octets: string) => createHmac('sha256', world.peer.certificate).update(octets).digest('base64');
  return [
    ...attacks(world, kind, 'SLOX-10', [
      ['hmac-with-the-certificate', 'forbidden_algorithm', { sigAlg: 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256', sign: hmac }],
      ['algorithm-none', 'forbidden_algorithm', { sigAlg: 'none' }],
      ['unknown-algorithm', 'forbidden_algorithm', { sigAlg: 'urn:x' }],
      [
        'rsa-sha1',
        'forbidden_algorithm',
        { sigAlg: RSA_SHA1, sign: (octets) => sign('sha1', Buffer.from(octets), world.peer.key).toString('base64') },
      ],
      ['dsa-sha1', 'forbidden_algorithm', { sigAlg: 'http://www.w3.org/2000/09/xmldsig#dsa-sha1' }],
      ['algorithm-of-an-object-prototype', 'forbidden_algorithm', { sigAlg: '__proto__' }],
      ['algorithm-changed', 'bad_signature', { tamper: (text) => text.replace('rsa-sha256', 'rsa-sha512') }],
      ['algorithm-changed-to-ecdsa', 'bad_signature', { tamper: (text) => text.replace('rsa-sha256', 'ecdsa-sha256') }],
    ]),
    ...attacks(world, kind, 'SLOX-18', [
      ['relay-state-changed', 'bad_signature', { tamper: (text) => text.replace('opaque-1', 'opaque-2') }],
      ['relay-state-made-a-url', 'bad_signature', { tamper: (text) => text.replace('opaque-1', 'https%3A%2F%2Fattacker.example') }],
      ['relay-state-taken-out', 'bad_signature', { tamper: without('RelayState') }],
      ['relay-state-added', 'bad_signature', { relayState: null, tamper: (text) => `${text}&RelayState=x` }],
      ['empty-relay-state-added', 'bad_signature', { relayState: null, tamper: (text) => `${text}&RelayState=` }],
    ]),
    ...attacks(world, kind, 'SLO-43', [
      [
        'another-message',
        'bad_signature',
        { tamper: (text) => text.replace(new RegExp(`${message}=[^&]*`), () => `${message}=${otherValue}`) },
      ],
      ['encoded-otherwise', 'bad_signature', { tamper: (text) => text.replace(/%3D|%2B|%2F/, (code) => code.toLowerCase()) }],
      ['signed-in-another-order', 'bad_signature', { sign: (octets) => byPeer(octets.split('&').reverse().join('&')) }],
      ['signed-without-sig-alg', 'bad_signature', { sign: (octets) => byPeer(without('SigAlg')(octets)) }],
      ['signature-of-nothing', 'bad_signature', { sign: () => byPeer('') }],
      ['signature-that-is-no-base64', 'malformed', { tamper: (text) => text.replace(/Signature=.*$/, 'Signature=!!!') }],
      ['signature-of-zeros', 'bad_signature', { sign: () => Buffer.alloc(256).toString('base64') }],
    ]),
    overRedirect('signed-by-another-entity', 'SLOX-9', kind, 'bad_signature', query(other, kind, world.stranger)),
    overRedirect('signed-with-a-weak-key', 'SLO-83', kind, 'bad_signature', query(other, kind, world.weak)),
    overRedirect(
      'kind-changed',
      'SLO-43',
      kind === 'request' ? 'response' : 'request',
      'schema',
      query(other, kind, world.peer, { tamper: (text) => text.replace(message, parameterOf(kind === 'request' ? 'response' : 'request')) }),
    ),
  ];
}

function packing(world: World, kind: SamlMessageKind): Attack[] {
  return attacks(world, kind, 'SLOX-17', [
    ['zlib', 'malformed', { pack: (text) => deflateSync(text) }],
    ['zlib-with-a-small-window', 'malformed', { pack: (text) => deflateSync(text, { windowBits: 9 }) }],
    ['gzip', 'malformed', { pack: (text) => gzipSync(text) }],
    ['not-packed', 'malformed', { pack: (text) => Buffer.from(text) }],
    ['packed-twice', 'forbidden_xml', { pack: (text) => deflateRawSync(deflateRawSync(text)) }],
    ['half-of-it', 'malformed', { pack: (text) => deflateRawSync(text).subarray(0, 200) }],
    ['something-behind-it', 'malformed', { pack: (text) => Buffer.concat([deflateRawSync(text), Buffer.from('x')]) }],
    ['nothing-packed', 'malformed', { pack: () => deflateRawSync('') }],
    ['utf-16', 'forbidden_xml', { pack: (text) => deflateRawSync(Buffer.from(text, 'utf16le')) }],
    [
      'base64-of-urls',
      'malformed',
      { tamper: (text) => text.replace(/=([^&]*)/, (_, value: string) => `=${value.replace(/%2B/g, '-').replace(/%2F/g, '_')}-`) },
    ],
    ['unknown-encoding', 'unsupported_binding', { tamper: (text) => `${text}&SAMLEncoding=urn%3Ax` }],
    ['empty-encoding', 'unsupported_binding', { tamper: (text) => `${text}&SAMLEncoding=` }],
    ['broken-percent-encoding', 'malformed', { tamper: (text) => text.replace('opaque-1', '%ff') }],
  ]);
}

function doubled(world: World): Attack[] {
  const twice = (name: string) => (text: string) => `${text}&${text.split('&').find((pair) => pair.startsWith(`${name}=`))!}`;
  return [
    ...attacks(world, 'request', 'SLO-45', [
      ...['SAMLRequest', 'RelayState', 'SigAlg', 'Signature'].map((name): [string, RefusalCode, QueryChanges] => [
        `two-${name}`,
        'malformed',
        { tamper: twice(name) },
      ]),
      ['response-too', 'malformed', { tamper: (text) => `${text}&SAMLResponse=x` }],
      ['percent-encoded-name', 'malformed', { tamper: (text) => `${text}&SAML%52equest=x` }],
      ['percent-encoded-name-alone', 'malformed', { tamper: (text) => text.replace('SAMLRequest', 'SAML%52equest') }],
      ['no-message', 'malformed', { tamper: without('SAMLRequest') }],
      ['nothing', 'malformed', { tamper: () => '' }],
    ]),
    ...attacks(world, 'response', 'SLO-45', [
      ['two-SAMLResponse', 'malformed', { tamper: twice('SAMLResponse') }],
      ['request-too', 'malformed', { tamper: (text) => `SAMLRequest=x&${text}` }],
    ]),
  ];
}

function deflatedPost(world: World): Attack {
  const packed = deflateRawSync(signed(writeMessage(world, 'request'), world.peer)).toString('base64');
  return { ...overPost('deflated', 'SLOX-17', 'request', 'malformed', form({ SAMLRequest: packed, SigAlg: RSA_SHA256 })), wire: 'form' };
}
