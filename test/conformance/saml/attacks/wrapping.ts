import type { SamlMessageKind } from '#protocol/saml';
import { overPost, overPostAndSoap, overSoap } from './attack.js';
import type { Attack } from './attack.js';
import { signatureOver, signed } from './sign.js';
import { envelope } from './wire.js';
import { SIGNATURE_PLACE, unsigned, writeMessage } from './write-message.js';
import type { MessageChanges } from './write-message.js';
import type { World } from './world.js';

const KINDS: readonly SamlMessageKind[] = ['request', 'response'];

/**
 * Signature wrapping: O is signed by the peer, and its signature still verifies; E is forged, and names somebody else. Whoever verifies O and
 * reads E is lost. @see SLOX-1 to SLOX-8
 */
export function wrappingAttacks(world: World): Attack[] {
  return KINDS.flatMap((kind) => wrapped(world, kind));
}

function wrapped(world: World, kind: SamlMessageKind): Attack[] {
  const original = writeMessage(world, kind);
  const o = unsigned(original);
  const s = signatureOver(o, kind === 'request' ? '_request-1' : '_response-1', world.peer);
  const withInside = (inside: string, place = s) => place.replace('</ds:Signature>', `${inside}</ds:Signature>`);
  /** E, with something where its signature goes. */
  const e = (place: string, changes: MessageChanges = {}) =>
    writeMessage(world, kind, { id: '_forged-1', ...forged(world), ...changes }).replace(SIGNATURE_PLACE, () => place);
  const atEnd = (xml: string, more: string) => xml.replace(/<\/samlp:Logout\w+>$/, (end) => more + end);
  const signedO = signed(original, world.peer);
  const list: [name: string, clause: string, xml: string, refusal?: 'schema' | 'bad_signature'][] = [
    ['xsw1', 'SLOX-1', e(withInside(o))],
    ['xsw1-same-id', 'SLOX-1', e(withInside(o), { id: / ID="([^"]+)"/.exec(o)![1]! })],
    ['xsw2', 'SLOX-2', e(o + s), 'schema'],
    ['xsw4', 'SLOX-4', atEnd(e(''), signedO), 'schema'],
    ['xsw5', 'SLOX-5', atEnd(e(s), o), 'schema'],
    ['xsw5-same-id', 'SLOX-5', atEnd(e(s, { id: / ID="([^"]+)"/.exec(o)![1]! }), o), 'schema'],
    ['xsw6', 'SLOX-6', e(s.replace('</ds:KeyInfo>', `${o}</ds:KeyInfo>`))],
    ['xsw6-signed-info', 'SLOX-6', e(s.replace('</ds:SignedInfo>', `${o}</ds:SignedInfo>`))],
    ['xsw6-signature-value', 'SLOX-6', e(s.replace('</ds:SignatureValue>', `${o}</ds:SignatureValue>`))],
    ['xsw7', 'SLOX-7', e(s, { extensions: o }), 'schema'],
    ['xsw7-signed', 'SLOX-7', e('', { extensions: signedO }), 'schema'],
    ['xsw7-foreign-wrapper', 'SLOX-7', e(s, { extensions: `<x:x xmlns:x="urn:x">${o}</x:x>` }), 'schema'],
    ['xsw8', 'SLOX-8', e(withInside(`<ds:Object>${o}</ds:Object>`))],
    ['xsw8-key-info', 'SLOX-8', e(s.replace('</ds:KeyInfo>', `<ds:Object>${o}</ds:Object></ds:KeyInfo>`))],
  ];
  return [
    ...list.flatMap(([name, clause, xml, refusal = 'bad_signature']) => overPostAndSoap(name, clause, kind, refusal, xml)),
    overPost('xsw3', 'SLOX-3', kind, 'schema', `<x>${e('')}${signedO}</x>`),
    overPost('xsw3-two-roots', 'SLOX-3', kind, 'malformed', `${e('')}${signedO}`),
    overSoap('xsw3', 'SLOX-3', kind, 'fault Client', envelope(e('') + signedO)),
    overSoap('xsw3-after', 'SLOX-3', kind, 'fault Client', envelope(signedO + e(''))),
    overSoap('xsw3-header', 'SLOX-3', kind, 'bad_signature', envelope(e(s), { header: `<soap:Header>${o}</soap:Header>` })),
    overSoap('xsw3-header-signed', 'SLOX-3', kind, 'unsigned', envelope(e(''), { header: `<soap:Header>${signedO}</soap:Header>` })),
    overSoap('xsw3-two-bodies', 'SLOX-3', kind, 'fault Client', envelope(e(s), { behind: `<soap:Body>${o}</soap:Body>` })),
    overSoap('xsw3-behind-the-body', 'SLOX-3', kind, 'fault Client', envelope(e(s), { behind: o })),
    overSoap('xsw3-wrapper', 'SLOX-3', kind, 'fault Client', envelope(`<x>${e('')}${signedO}</x>`)),
  ];
}

/** Whom an attacker would log out; or what he would have us believe. */
function forged(world: World): MessageChanges {
  return { nameId: world.victim, sessionIndexes: '', inResponseTo: '_another-request-of-ours' };
}
