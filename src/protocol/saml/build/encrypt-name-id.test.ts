import { constants, createDecipheriv, createPrivateKey, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { DOMParser, XMLSerializer } from '@xmldom/xmldom';
import { makeCertificate } from '../../../../test/integration/egress-certificate.js';
import { makeCredential } from '../../../../test/support/saml-peer.js';
import { makeCertificate as makeRsaCertificate } from '../../../registry/certificates/make-certificate.js';
import { NS } from '../terms.js';
import type { SamlEncryptionKey } from '../types.js';
import { buildLogoutRequest } from './build-logout-request.js';
import { findEncryptionKey } from './encryption-key.js';
import { UnbuildableMessage } from './unbuildable-message.js';

const XENC = 'http://www.w3.org/2001/04/xmlenc#';
const XENC11 = 'http://www.w3.org/2009/xmlenc11#';
const AES256 = `${XENC11}aes256-gcm`;
const AES128 = `${XENC11}aes128-gcm`;
const OAEP_MGF1P = `${XENC}rsa-oaep-mgf1p`;
const OAEP = `${XENC11}rsa-oaep`;
const CBC = `${XENC}aes256-cbc`;
const RSA_1_5 = `${XENC}rsa-1_5`;

const sp = makeCredential('sp');
const key = (methods: string[] = [], certificate = sp.certificate): SamlEncryptionKey => ({ certificate, methods });
const nameId = { value: 'alice & b\u00f6b', format: 'urn:f', spNameQualifier: 'https://sp.example' };
const build = (encryptTo: SamlEncryptionKey): Element =>
  new DOMParser().parseFromString(
    buildLogoutRequest({
      id: '_1',
      issuer: 'https://idp.example',
      issueInstant: new Date(0),
      notOnOrAfter: new Date(1),
      nameId,
      sessionIndexes: ['s'],
      encryptTo,
    }),
    'text/xml',
  ).documentElement;

const path = (from: Element, ...names: string[]): Element =>
  names.reduce((at, name) => Array.from(at.childNodes).find((one) => (one as Element).localName === name) as Element, from);
const algorithmOf = (element: Element) => element.getAttribute('Algorithm');

/** Straight from the text of XML Encryption, with none of our code. */
function decrypt(root: Element) {
  const data = path(root, 'EncryptedID', 'EncryptedData');
  const encryptedKey = path(data, 'KeyInfo', 'EncryptedKey');
  const transport = algorithmOf(path(encryptedKey, 'EncryptionMethod'))!;
  const oaepHash = transport === OAEP_MGF1P ? 'sha1' : 'sha256';
  const wrapped = Buffer.from(path(encryptedKey, 'CipherData', 'CipherValue').textContent, 'base64');
  const contentKey = privateDecrypt({ key: createPrivateKey(sp.privateKey), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, wrapped);
  const content = algorithmOf(path(data, 'EncryptionMethod'))!;
  const octets = Buffer.from(path(data, 'CipherData', 'CipherValue').textContent, 'base64');
  const decipher = createDecipheriv(content === AES256 ? 'aes-256-gcm' : 'aes-128-gcm', contentKey, octets.subarray(0, 12));
  decipher.setAuthTag(octets.subarray(-16));
  const text = Buffer.concat([decipher.update(octets.subarray(12, -16)), decipher.final()]).toString();
  return { content, transport, digest: algorithmOf(path(encryptedKey, 'EncryptionMethod', 'DigestMethod')), text, contentKey, octets };
}

describe('an EncryptedID', () => {
  it.each([
    ['no method', [], AES256, OAEP_MGF1P],
    ['aes128-gcm first', [AES128, AES256], AES128, OAEP_MGF1P],
    ['both transports', [OAEP, OAEP_MGF1P], AES256, OAEP_MGF1P],
    ['the newer transport alone', [OAEP], AES256, OAEP],
    ['insecure methods beside good ones', [CBC, RSA_1_5, AES256, OAEP_MGF1P], AES256, OAEP_MGF1P],
    ['methods that are none', ['urn:example:other'], AES256, OAEP_MGF1P],
  ])('SLO-11, SLO-85 for a key that names %s', (_, methods, content, transport) => {
    const decrypted = decrypt(build(key(methods)));
    expect(decrypted).toMatchObject({ content, transport });
    expect(decrypted.digest).toBe(transport === OAEP ? `${XENC}sha256` : 'http://www.w3.org/2000/09/xmldsig#sha1');
  });

  it('SLO-7, SLO-92 decrypts to the NameID with all its attributes, which stands alone', () => {
    const element = new DOMParser().parseFromString(decrypt(build(key())).text, 'text/xml').documentElement;
    expect([element.namespaceURI, element.localName, element.textContent]).toEqual([NS.saml, 'NameID', nameId.value]);
    expect(element.getAttribute('Format')).toBe('urn:f');
    expect(element.getAttribute('SPNameQualifier')).toBe('https://sp.example');
    expect(element.hasAttribute('NameQualifier')).toBe(false);
  });

  it('SLO-1, SLO-11 stands in the place of the NameID, which is nowhere in the message', () => {
    const root = build(key());
    expect(Array.from(root.childNodes, (child) => (child as Element).localName)).toEqual(['Issuer', 'EncryptedID', 'SessionIndex']);
    expect(new XMLSerializer().serializeToString(root)).not.toContain('alice');
  });

  it('SLO-85 has a new key and a new IV each time', () => {
    const [one, two] = [decrypt(build(key())), decrypt(build(key()))];
    expect(one.contentKey.equals(two.contentKey)).toBe(false);
    expect(one.octets.subarray(0, 12).equals(two.octets.subarray(0, 12))).toBe(false);
  });
});

describe('findEncryptionKey', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const { cert: elliptic } = makeCertificate({ commonName: 'ec' });

  it.each([
    ['CBC alone', key([CBC, OAEP_MGF1P]), /allows only .*aes256-cbc; wanted is aes128-gcm or aes256-gcm/],
    ['rsa-1_5 alone', key([AES256, RSA_1_5]), /allows only .*rsa-1_5; wanted is rsa-oaep-mgf1p or rsa-oaep/],
    ['an elliptic curve', key([], elliptic), /must be RSA, this is ec/],
    ['1024 bits', key([], makeRsaCertificate(small, 'small', new Date())), /at least 2048 bits, this has 1024/],
    ['no certificate', key([], 'nonsense'), /cannot be read/],
  ])('SLO-85 uses no key with %s, and says why', (_, unusable, reason) => {
    expect(findEncryptionKey([unusable])).toEqual({ unusable: expect.stringMatching(reason) });
    expect(() => build(unusable)).toThrow(UnbuildableMessage);
  });

  it('SLO-74 takes the first that may be used', () => {
    const good = key([AES128]);
    expect(findEncryptionKey([key([CBC]), good, key()])).toEqual({ key: good });
  });

  it('says that there is none', () => {
    expect(findEncryptionKey([])).toEqual({ unusable: 'the metadata has no encryption key' });
  });
});
