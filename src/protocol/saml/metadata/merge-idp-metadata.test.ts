import { generateKeyPairSync } from 'node:crypto';
import { XMLSerializer } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';
import { idpMetadata, OWN } from '../../../../test/support/idp-metadata.js';
import { NS } from '../terms.js';
import type { SamlSigner } from '../types.js';
import { mergeIdpMetadata } from './merge-idp-metadata.js';
import type { MetadataAdditions } from './merge-idp-metadata.js';
import { childrenOf, rootOf } from './metadata-tree.js';

const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
const OURS = {
  signing: Buffer.from('ours').toString('base64'),
  later: Buffer.from('ours next').toString('base64'),
  encryption: 'b3Vycw==',
};
const ADDITIONS: MetadataAdditions = {
  signingCertificates: [pem(OURS.signing)],
  encryptionCertificates: [pem(OURS.encryption)],
  endpoints: {
    redirect: 'https://slo.example/saml/slo/corp',
    post: 'https://slo.example/saml/slo/corp',
    soap: 'https://slo.example/saml/slo/corp/soap',
  },
  cacheSeconds: 3600,
};

function merged(additions: Partial<MetadataAdditions> = {}, xml = idpMetadata()): { text: string; root: Element; role: Element } {
  const text = mergeIdpMetadata(xml, { ...ADDITIONS, ...additions });
  const root = rootOf(text);
  return { text, root, role: childrenOf(root, NS.md, 'IDPSSODescriptor')[0]! };
}

const named = (parent: Element, name: string) => childrenOf(parent, NS.md, name);
const attributes = (elements: Element[], name: string) => elements.map((one) => one.getAttribute(name));
const certificateOf = (key: Element) => key.getElementsByTagNameNS(NS.ds, 'X509Certificate')[0]!.textContent.trim();
const keysOf = (role: Element, use: string) =>
  named(role, 'KeyDescriptor')
    .filter((key) => key.getAttribute('use') === use)
    .map(certificateOf);
const algorithmsOf = (role: Element, name: string) => attributes(childrenOf(named(role, 'Extensions')[0]!, NS.alg, name), 'Algorithm');

test('SLO-71 the children of the role stand in the order of the schema', () => {
  expect(childrenOf(merged().role).map((child) => child.localName)).toEqual([
    'Extensions',
    ...Array<string>(4).fill('KeyDescriptor'),
    'ArtifactResolutionService',
    ...Array<string>(3).fill('SingleLogoutService'),
    'ManageNameIDService',
    'NameIDFormat',
    'SingleSignOnService',
    'SingleSignOnService',
  ]);
});

test('SLO-70 nothing is left of its own single logout, ours takes its place', () => {
  const { text, role } = merged();
  expect(text).not.toMatch(/idp\.example\.com\/slo/);
  const services = named(role, 'SingleLogoutService');
  const short = attributes(services, 'Binding').map((uri) => uri!.split(':').at(-1));
  expect(short.map((binding, at) => [binding, attributes(services, 'Location')[at]])).toEqual([
    ['HTTP-Redirect', ADDITIONS.endpoints.redirect],
    ['HTTP-POST', ADDITIONS.endpoints.post],
    ['SOAP', ADDITIONS.endpoints.soap],
  ]);
  expect(services.some((one) => one.hasAttribute('ResponseLocation'))).toBe(false);
});

test('SLO-74 its own signing certificates stay and go first; one without use becomes one for signing', () => {
  const { role } = merged();
  expect(keysOf(role, 'signing')).toEqual([OWN.unmarked, OWN.next, OURS.signing]);
  const methods = named(role, 'KeyDescriptor').map((key) => [key.getAttribute('use'), named(key, 'EncryptionMethod').length]);
  expect(methods).toEqual([
    ['signing', 0],
    ['signing', 0],
    ['signing', 0],
    ['encryption', 3],
  ]);
});

test('SLO-95 all our signing certificates are there while keys roll over', () => {
  const { role } = merged({ signingCertificates: [pem(OURS.signing), pem(OURS.later)] });
  expect(keysOf(role, 'signing').slice(2)).toEqual([OURS.signing, OURS.later]);
});

test('a certificate of its own with which we sign is there once, however it is wrapped', () => {
  const wrapped = pem(`${OWN.next.slice(0, 8)}\r\n${OWN.next.slice(8)}`);
  expect(keysOf(merged({ signingCertificates: [wrapped] }).role, 'signing')).toEqual([OWN.unmarked, OWN.next]);
});

test('SLO-11 SLO-85 peers encrypt to us, with authenticated encryption alone', () => {
  const { role } = merged();
  expect(keysOf(role, 'encryption')).toEqual([OURS.encryption]);
  const key = named(role, 'KeyDescriptor').find((one) => one.getAttribute('use') === 'encryption')!;
  expect(attributes(named(key, 'EncryptionMethod'), 'Algorithm')).toEqual([
    'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    'http://www.w3.org/2009/xmlenc11#aes128-gcm',
    'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  ]);
});

describe('algorithms that peers should sign with', () => {
  const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
  const RSA = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
  const ECDSA = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384';
  const list = `<alg:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/><alg:SigningMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/><alg:SigningMethod Algorithm="${ECDSA}"/>`;

  test('are named where it names none', () => {
    const { role } = merged();
    expect(algorithmsOf(role, 'DigestMethod')[0]).toBe(SHA256);
    expect(algorithmsOf(role, 'SigningMethod')[0]).toBe(RSA);
  });

  test.each([
    ['role', { extensions: list }],
    ['entity', { rootExtensions: list }],
  ])('begin with what its %s names; SLO-84 SHA-1 is named no more', (_, changes) => {
    const { role } = merged({}, idpMetadata(changes));
    expect(algorithmsOf(role, 'SigningMethod').slice(0, 2)).toEqual([ECDSA, RSA]);
    expect(new Set(algorithmsOf(role, 'SigningMethod')).size).toBe(6);
    expect([...algorithmsOf(role, 'DigestMethod'), ...algorithmsOf(role, 'SigningMethod')].join()).not.toContain('sha1');
  });

  test('stand beside its other extensions', () => {
    expect(merged().text).toContain('<mdui:DisplayName xml:lang="en">R&amp;D login</mdui:DisplayName>');
  });
});

test('what logins need stays as it is, and so do the other roles', () => {
  const before = rootOf(idpMetadata());
  const { root, role } = merged();
  const [old] = named(before, 'IDPSSODescriptor');
  const locations = (of: Element) => attributes(named(of, 'SingleSignOnService'), 'Location');
  expect(locations(role)).toEqual(locations(old!));
  expect(root.getAttribute('entityID')).toBe(before.getAttribute('entityID'));
  for (const name of ['IDPSSODescriptor', 'AttributeAuthorityDescriptor', 'Organization', 'ContactPerson']) {
    const last = (of: Element) => new XMLSerializer().serializeToString(named(of, name).at(-1)!);
    expect(last(root)).toBe(last(before));
  }
});

describe('the document', () => {
  test('has lost its signatures, and is named anew by what is in it', () => {
    const { text, root } = merged();
    expect(text).not.toMatch(/Signature|_of_the_idp/);
    expect(root.getAttribute('ID')).toMatch(/^_[0-9a-f]{64}$/);
    expect(merged().text).toBe(text);
    expect(merged({ cacheSeconds: 1800 }).root.getAttribute('ID')).not.toBe(root.getAttribute('ID'));
  });

  test('may be kept for less time than a rotation overlaps, whatever the identity provider says', () => {
    const { root, role } = merged();
    expect([root.getAttribute('cacheDuration'), role.hasAttribute('cacheDuration')]).toEqual(['PT3600S', false]);
  });

  test.each([
    ['kept', '2027-01-01T00:00:00Z', null, '2027-01-01T00:00:00Z'],
    ['shortened', '2027-01-01T00:00:00Z', '2026-12-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['not put off', '2027-01-01T00:00:00+02:00', '2026-12-31T23:00:00.000Z', '2027-01-01T00:00:00+02:00'],
    ['set', null, '2026-12-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['not invented', null, null, ''],
  ])('SLO-75 its end is %s', (_, own, limit, expected) => {
    const xml = idpMetadata(own === null ? {} : { attributes: ` validUntil="${own}"` });
    expect(merged({ validUntil: limit }, xml).root.getAttribute('validUntil') ?? '').toBe(expected);
  });

  test('is right also where our prefixes mean something else in it', () => {
    const xml = idpMetadata({ attributes: ' xmlns:md="urn:example:other"' }).replaceAll('alg:', 'x:').replace('xmlns:alg', 'xmlns:x');
    const { text, role } = merged({}, xml.replace('<EntityDescriptor ', '<EntityDescriptor xmlns:alg="urn:example:another" '));
    expect(keysOf(role, 'encryption')).toEqual([OURS.encryption]);
    expect(algorithmsOf(role, 'SigningMethod')).toHaveLength(6);
    expect(text).toContain('xmlns:md="urn:example:other"');
  });

  test('cannot put markup where a URL belongs', () => {
    const { role } = merged({ endpoints: { ...ADDITIONS.endpoints, post: 'https://slo.example/?a="1"&b=<c>' } });
    expect(attributes(named(role, 'SingleLogoutService'), 'Location')[1]).toBe('https://slo.example/?a="1"&b=<c>');
  });

  test.each([
    ['an aggregate', '<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>', /EntityDescriptor.*EntitiesDescriptor/],
    ['that of an SP', '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>', /IDPSSODescriptor/],
    ['no XML', '<EntityDescriptor', /cannot be read/],
  ])('%s is none to publish', (_, xml, message) => {
    expect(() => mergeIdpMetadata(xml, ADDITIONS)).toThrow(message);
  });
});

describe('signed', () => {
  const pairs = {
    'rsa-sha256': generateKeyPairSync('rsa', { modulusLength: 2048 }),
    'ecdsa-sha256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  const signerOf = (algorithm: SamlSigner['algorithm']): SamlSigner => ({
    privateKey: pairs[algorithm].privateKey,
    certificate: pem(OURS.signing),
    algorithm,
  });

  test('SLO-82 the signature is the first child, over the root by its ID, with exclusive c14n and SHA-256', () => {
    const { root } = merged({ signer: signerOf('ecdsa-sha256') });
    const [first] = childrenOf(root);
    expect(first!.localName).toBe('Signature');
    const uris = (name: string, attribute: string) => attributes(Array.from(first!.getElementsByTagNameNS(NS.ds, name)), attribute);
    expect(uris('Reference', 'URI')).toEqual([`#${root.getAttribute('ID')}`]);
    expect(uris('SignatureMethod', 'Algorithm')).toEqual(['http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256']);
    expect(uris('DigestMethod', 'Algorithm')).toEqual(['http://www.w3.org/2001/04/xmlenc#sha256']);
    expect(uris('Transform', 'Algorithm')).toEqual([
      'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
      'http://www.w3.org/2001/10/xml-exc-c14n#',
    ]);
  });

  test('an RSA signature verifies, and no longer when a byte is changed', () => {
    const { text } = merged({ signer: signerOf('rsa-sha256') });
    const verifies = (xml: string) => {
      const signature = new SignedXml({ publicCert: pairs['rsa-sha256'].publicKey.export({ type: 'spki', format: 'pem' }) });
      signature.loadSignature(childrenOf(rootOf(xml), NS.ds, 'Signature')[0]!);
      return signature.checkSignature(xml);
    };
    expect(verifies(text)).toBe(true);
    expect(verifies(text.replace('/saml/slo/corp"', '/saml/slo/evil"'))).toBe(false);
  });
});
