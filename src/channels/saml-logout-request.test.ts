import { DOMParser } from '@xmldom/xmldom';
import { makeCredential } from '../../test/support/saml-peer.js';
import { samlMessage } from '../../test/support/saml-message.js';
import type { SamlMessageChange } from '../../test/support/saml-message.js';
import { CAUSES } from '#domain';
import type { Cause } from '#domain';
import { REASON } from '#protocol/saml';
import { buildSamlLogoutRequest } from './saml-logout-request.js';

const now = new Date('2026-11-25T06:00:00.000Z');
const LOCATION = 'https://sp.example/slo';
const subject = { nameId: { value: 'alice', format: 'urn:f' }, sessionIndexes: ['_s1'], cause: 'user' as Cause };
const { certificate } = makeCredential('sp');

function build(change: SamlMessageChange = {}, destination = LOCATION) {
  const how = { id: '_q1', issuer: 'https://idp.example', destination, now, lifetimeSeconds: 300 };
  return buildSamlLogoutRequest(samlMessage('soap', destination, { saml: subject, ...change }), how);
}
function rootOf(change?: SamlMessageChange): Element {
  const built = build(change);
  if ('unusable' in built) throw new Error(built.unusable);
  return new DOMParser().parseFromString(built.xml, 'text/xml').documentElement;
}
const namesIn = (root: Element) => Array.from(root.childNodes, (child) => (child as Element).localName);

describe('buildSamlLogoutRequest', () => {
  it('SLO-4, SLO-5, SLO-9 has the identity provider as Issuer, the endpoint as Destination and an end', () => {
    const root = rootOf();
    expect(root.getAttribute('ID')).toBe('_q1');
    expect(root.firstChild!.textContent).toBe('https://idp.example');
    expect(root.getAttribute('Destination')).toBe(LOCATION);
    expect(root.getAttribute('IssueInstant')).toBe('2026-11-25T06:00:00.000Z');
    expect(root.getAttribute('NotOnOrAfter')).toBe('2026-11-25T06:05:00.000Z');
  });

  it('SLO-7, SLO-8 has the NameID and the SessionIndexes of the subject', () => {
    const root = rootOf({ saml: { ...subject, sessionIndexes: ['a', 'b'] } });
    expect(namesIn(root)).toEqual(['Issuer', 'NameID', 'SessionIndex', 'SessionIndex']);
    expect((root.childNodes[1] as Element).getAttribute('Format')).toBe('urn:f');
  });

  it('SLO-6 says why: the person, a time that is over, or else an administrator; nothing where nothing is known', () => {
    const reasons = new Map(CAUSES.map((cause) => [cause, rootOf({ saml: { ...subject, cause } }).getAttribute('Reason') || undefined]));
    expect(reasons.get('user')).toBe(REASON.user);
    expect(reasons.get('idle')).toBe(REASON.globalTimeout);
    expect(reasons.get('absolute')).toBe(REASON.globalTimeout);
    expect(reasons.get('unspecified')).toBeUndefined();
    for (const cause of ['admin', 'risk', 'account-disabled', 'incident'] as const) expect(reasons.get(cause)).toBe(REASON.admin);
  });

  it('ASLO-2 always wants an answer, also from an SP that announces the extension', () => {
    const endpoints = [{ binding: 'soap' as const, location: LOCATION, supportsAsynchronous: true }];
    expect(namesIn(rootOf({ endpoints }))).not.toContain('Extensions');
  });

  it('SLO-11 encrypts the NameID only where that is registered', () => {
    const entity = { encryptionKeys: [{ certificate, methods: [] }] };
    expect(namesIn(rootOf({ entity }))).toContain('NameID');
    expect(namesIn(rootOf({ entity, config: { encryptNameId: true } }))).toEqual(['Issuer', 'EncryptedID', 'SessionIndex']);
  });

  it.each<[string, SamlMessageChange, RegExp]>([
    ['there is no NameID', { saml: null }, /session has none: send handles\.nameId with session\.started or session\.joined/],
    ['the metadata is over', { entity: { validUntil: '2026-11-25T06:00:00Z' } }, /valid until 2026-11-25T06:00:00Z and must not be used/],
    ['it must be encrypted and there is no key', { config: { encryptNameId: true } }, /encryptNameId is set.*no encryption key/],
    [
      'it must be encrypted and the key allows only CBC',
      {
        config: { encryptNameId: true },
        entity: { encryptionKeys: [{ certificate, methods: ['http://www.w3.org/2001/04/xmlenc#aes128-cbc'] }] },
      },
      /encryptNameId is set.*aes128-cbc/,
    ],
    [
      'XML cannot carry it',
      { saml: { ...subject, nameId: { value: 'a\u0000b' } } },
      /cannot be written: a value has the character U\+0000/,
    ],
  ])('is unusable when %s, and says what to do', (_, change, why) => {
    expect(build(change)).toEqual({ unusable: expect.stringMatching(why) });
  });

  it('uses metadata until the last moment', () => {
    expect(build({ entity: { validUntil: '2026-11-25T06:00:00.001Z' } })).toHaveProperty('xml');
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', '/slo', 'https://', ''])('SLOX-18 sends nobody to %j', (location) => {
    expect(build({}, location)).toEqual({ unusable: expect.stringContaining('wanted is a URL that begins with https:// or http://') });
  });
});
