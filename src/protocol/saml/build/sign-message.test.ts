import { createHash, createPublicKey, verify } from 'node:crypto';
import { DOMParser, XMLSerializer } from '@xmldom/xmldom';
import { makeSigner } from '../../../../test/support/saml-signer.js';
import { NS } from '../terms.js';
import type { SamlSigner } from '../types.js';
import { buildLogoutRequest } from './build-logout-request.js';
import { signMessage } from './sign-message.js';

const xml = buildLogoutRequest({
  id: '_m1',
  issuer: 'https://idp.example',
  issueInstant: new Date(0),
  notOnOrAfter: new Date(1),
  nameId: { value: 'alice\r\n&' },
  sessionIndexes: ['1'],
});
const signers: Record<SamlSigner['algorithm'], SamlSigner> = {
  'rsa-sha256': makeSigner('rsa-sha256'),
  'ecdsa-sha256': makeSigner('ecdsa-sha256'),
};
const ALGORITHMS = ['rsa-sha256', 'ecdsa-sha256'] as const;
const parse = (text: string): Element => new DOMParser().parseFromString(text, 'text/xml').documentElement;
const all = (root: Element, name: string): Element[] => Array.from(root.getElementsByTagNameNS(NS.ds, name));
const algorithmOf = (element: Element | undefined) => element?.getAttribute('Algorithm');

describe.each(ALGORITHMS)('signMessage with %s', (algorithm) => {
  const signer = signers[algorithm];
  const root = parse(signMessage(xml, signer));

  it('SLO-1 puts the signature directly behind the Issuer', () => {
    expect(Array.from(root.childNodes, (child) => (child as Element).localName)).toEqual(['Issuer', 'Signature', 'NameID', 'SessionIndex']);
  });

  it('SLO-82 has one Reference, to the ID of the root, with the two transforms that everybody takes', () => {
    expect(all(root, 'Reference').map((one) => one.getAttribute('URI'))).toEqual(['#_m1']);
    expect(all(root, 'Transform').map(algorithmOf)).toEqual([`${NS.ds}enveloped-signature`, 'http://www.w3.org/2001/10/xml-exc-c14n#']);
  });

  it('SLO-83 names SHA-256 for both, and exclusive canonicalisation', () => {
    expect(algorithmOf(all(root, 'SignatureMethod')[0])).toBe(`http://www.w3.org/2001/04/xmldsig-more#${algorithm}`);
    expect(algorithmOf(all(root, 'DigestMethod')[0])).toBe('http://www.w3.org/2001/04/xmlenc#sha256');
    expect(algorithmOf(all(root, 'CanonicalizationMethod')[0])).toBe('http://www.w3.org/2001/10/xml-exc-c14n#');
  });

  it('SLO-74 has the certificate, and nothing else, in its KeyInfo', () => {
    const [keyInfo] = all(root, 'KeyInfo');
    expect(keyInfo!.textContent).toBe(signer.certificate.replace(/-----[A-Z ]+-----|\s/g, ''));
  });

  it('SLO-82 signs what stands there: digest and value are good by hand', () => {
    expect(all(root, 'DigestValue')[0]!.textContent).toBe(createHash('sha256').update(xml).digest('base64'));
    const signedInfo = new XMLSerializer().serializeToString(all(root, 'SignedInfo')[0]!).replace(/<(ds:\w+)([^<>]*)\/>/g, '<$1$2></$1>');
    const key = { key: createPublicKey(signer.certificate), dsaEncoding: 'ieee-p1363' as const };
    const value = Buffer.from(all(root, 'SignatureValue')[0]!.textContent, 'base64');
    expect(verify('sha256', Buffer.from(signedInfo), key, value)).toBe(true);
    expect(verify('sha256', Buffer.from(signedInfo.replace('#_m1', '#_m2')), key, value)).toBe(false);
  });
});

describe('signMessage', () => {
  it('SLO-7 leaves the NameID as it is, whatever characters are in it', () => {
    const value = ' a\t\n\r\u0085\u2028\u00fc<&>"\u{1F6AA}';
    const content = { id: '_1', issuer: 'i', issueInstant: new Date(0), notOnOrAfter: new Date(1), sessionIndexes: [] };
    const root = parse(signMessage(buildLogoutRequest({ ...content, nameId: { value, format: value } }), signers['rsa-sha256']));
    const nameId = root.lastChild as Element;
    expect([nameId.textContent, nameId.getAttribute('Format')]).toEqual([value, value]);
  });

  it.each([
    ['rsa-sha256', 'ecdsa-sha256'],
    ['ecdsa-sha256', 'rsa-sha256'],
  ] as const)('says that a key does not suit %s', (algorithm, other) => {
    expect(() => signMessage(xml, { ...signers[other], algorithm })).toThrow(new RegExp(`${algorithm} needs a private`));
  });

  it('says that a public key does not sign', () => {
    const publicKey = createPublicKey(signers['rsa-sha256'].certificate);
    expect(() => signMessage(xml, { ...signers['rsa-sha256'], privateKey: publicKey })).toThrow('is a public rsa key');
  });
});
