import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto';
import { keyPair } from '../../../../test/conformance/saml/attacks/world.js';
import { parseStrictXml } from '../xml/index.js';
import { decryptNameId } from './decrypt-name-id.js';
import { readNameId } from './read-name-id.js';

const ours = keyPair('ours');
const other = keyPair('stranger');
const XENC = 'http://www.w3.org/2001/04/xmlenc#';
const XENC11 = 'http://www.w3.org/2009/xmlenc11#';
const NAME_ID =
  '<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:f" SPProvidedID="p">\u00e9 &amp;</saml:NameID>';

interface Changes {
  bits?: 128 | 256;
  cipher?: string;
  transport?: string;
  oaep?: string;
  hash?: string;
  place?: 'inside' | 'beside';
  text?: string;
  before?: string;
}

function encryptedId(changes: Changes = {}): Element {
  const { bits = 256, text = NAME_ID, place = 'inside', oaep = '', hash = 'sha1', before = '' } = changes;
  const { cipher = `${XENC11}aes${bits}-gcm`, transport = `${XENC}rsa-oaep-mgf1p` } = changes;
  const key = randomBytes(bits / 8);
  const iv = randomBytes(12);
  const encryptor = createCipheriv(`aes-${bits}-gcm`, key, iv);
  const octets = Buffer.concat([iv, encryptor.update(text, 'utf8'), encryptor.final(), encryptor.getAuthTag()]);
  const wrapped = publicEncrypt({ key: ours.certificate, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, key);
  const data = (value: Buffer) => `<CipherData><CipherValue>\n${value.toString('base64')}\n</CipherValue></CipherData>`;
  const encryptedKey = `${before}<EncryptedKey xmlns="${XENC}" Recipient="x"><EncryptionMethod Algorithm="${transport}">${oaep}</EncryptionMethod>${data(wrapped)}</EncryptedKey>`;
  const keyInfo = place === 'inside' ? `<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">${encryptedKey}</ds:KeyInfo>` : '';
  return parseStrictXml(
    `<EncryptedID xmlns="urn:oasis:names:tc:SAML:2.0:assertion"><EncryptedData xmlns="${XENC}"><EncryptionMethod Algorithm="${cipher}"/>${keyInfo}${data(octets)}</EncryptedData>${place === 'beside' ? encryptedKey : ''}</EncryptedID>`,
  ).documentElement;
}

const digest = (uri: string) => `<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="${uri}"/>`;
const mgf = (name: string) => `<m:MGF xmlns:m="${XENC11}" Algorithm="${XENC11}${name}"/>`;
const FOR_ANOTHER = `<EncryptedKey xmlns="${XENC}"><EncryptionMethod Algorithm="${XENC}rsa-oaep-mgf1p"/><CipherData><CipherValue>${Buffer.alloc(256, 1).toString('base64')}</CipherValue></CipherData></EncryptedKey>`;

describe('SLO-11, SLO-85: the NameID in an EncryptedID', () => {
  it.each<[string, Changes]>([
    ['aes128-gcm', { bits: 128 }],
    ['aes256-gcm', { bits: 256 }],
    ['rsa-oaep-mgf1p that names SHA-1', { oaep: digest('http://www.w3.org/2000/09/xmldsig#sha1') }],
    [
      'rsa-oaep with SHA-256 and its mask',
      { transport: `${XENC11}rsa-oaep`, hash: 'sha256', oaep: digest(`${XENC}sha256`) + mgf('mgf1sha256') },
    ],
    ['an EncryptedKey beside the EncryptedData', { place: 'beside' }],
    ['an EncryptedKey for somebody else before ours', { before: FOR_ANOTHER }],
  ])('is read: %s', (_, changes) => {
    expect(readNameId(decryptNameId(encryptedId(changes), [other.key, ours.key]))).toEqual({
      value: '\u00e9 &',
      format: 'urn:f',
      spProvidedId: 'p',
    });
  });

  it.each<[string, Changes]>([
    ['CBC', { cipher: `${XENC}aes256-cbc` }],
    ['rsa-1_5', { transport: `${XENC}rsa-1_5` }],
    ['a cipher of another key length', { bits: 128, cipher: `${XENC11}aes256-gcm` }],
    ['another hash than that which is named', { oaep: digest(`${XENC}sha256`) }],
    ['a mask for the older algorithm', { oaep: mgf('mgf1sha256') }],
    ['a text that is no XML', { text: 'x' }],
    ['an element that is no NameID', { text: '<x/>' }],
    ['a NameID of another namespace', { text: '<NameID>x</NameID>' }],
    ['too many keys', { before: FOR_ANOTHER.repeat(8) }],
  ])('is refused with one error and no other: %s', (_, changes) => {
    expect(() => decryptNameId(encryptedId(changes), [ours.key])).toThrow(
      expect.objectContaining({
        code: 'undecryptable',
        clause: 'SLO-85',
        description: 'the EncryptedID must be encrypted by aes128-gcm or aes256-gcm, with a key wrapped by rsa-oaep for our certificate',
      }),
    );
  });

  it('is refused with that error when it is for somebody else, and when we have no key', () => {
    for (const keys of [[], [other.key]]) {
      expect(() => decryptNameId(encryptedId(), keys)).toThrow(expect.objectContaining({ code: 'undecryptable', clause: 'SLO-85' }));
    }
  });
});
