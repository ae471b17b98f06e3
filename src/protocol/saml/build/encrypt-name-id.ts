import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto';
import type { NameId } from '#domain';
import { x509Data } from '../metadata/published-parts.js';
import { NS } from '../terms.js';
import type { SamlEncryptionKey } from '../types.js';
import { chooseEncryption } from './encryption-key.js';
import type { EncryptionChoice } from './encryption-key.js';
import { writeNameId } from './message-parts.js';
import { writeElement } from './write-xml.js';

const XENC_NAMESPACE = { 'xmlns:xenc': NS.xenc };
const DS_NAMESPACE = { 'xmlns:ds': NS.ds };
const ELEMENT_TYPE = `${NS.xenc}Element`;
const SHA1 = `${NS.ds}sha1`;
const SHA256 = `${NS.xenc}sha256`;
const XENC11 = 'http://www.w3.org/2009/xmlenc11#';
/** @see XML Encryption 1.1 section 5.2.4 */
const GCM_IV_BYTES = 12;

/**
 * The `xenc:EncryptedData` of a NameID: a key of its own for each, wrapped for the peer, in an EncryptedKey inside. Node's own cryptography,
 * for all that is needed of the specification is this one form of it.
 * @throws UnbuildableMessage when the peer's key must not be used.
 * @see SLO-7, SLO-11, SLO-85
 */
export function encryptNameId(nameId: NameId, encryptTo: SamlEncryptionKey): string {
  const choice = chooseEncryption(encryptTo);
  const contentKey = randomBytes(choice.content.keyBytes);
  const cipherValue = encryptContent(writeNameId(nameId), contentKey, choice.content.cipher);
  return writeElement(
    'xenc:EncryptedData',
    { ...XENC_NAMESPACE, Type: ELEMENT_TYPE },
    writeElement('xenc:EncryptionMethod', { Algorithm: choice.content.uri }),
    writeElement('ds:KeyInfo', DS_NAMESPACE, writeEncryptedKey(contentKey, choice)),
    writeCipherData(cipherValue),
  );
}

/** @see XML Encryption 1.1 section 5.2.4: the IV before the text, the tag behind it */
function encryptContent(text: string, key: Buffer, algorithm: EncryptionChoice['content']['cipher']): Buffer {
  const iv = randomBytes(GCM_IV_BYTES);
  const cipher = createCipheriv(algorithm, key, iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function writeEncryptedKey(contentKey: Buffer, { publicKey, certificate, transport }: EncryptionChoice): string {
  const isOlder = transport.startsWith(NS.xenc);
  // The older name means MGF1 with SHA-1; SHA-1 inside OAEP is no weakness, for nothing there depends on collisions.
  const oaepHash = isOlder ? 'sha1' : 'sha256';
  const wrapped = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, contentKey);
  return writeElement(
    'xenc:EncryptedKey',
    {},
    writeElement(
      'xenc:EncryptionMethod',
      { Algorithm: transport },
      writeElement('ds:DigestMethod', { Algorithm: isOlder ? SHA1 : SHA256 }),
      isOlder ? null : writeElement('xenc11:MGF', { 'xmlns:xenc11': XENC11, Algorithm: `${XENC11}mgf1sha256` }),
    ),
    // Which of its keys: a peer may have several.
    writeElement('ds:KeyInfo', {}, x509Data(certificate)),
    writeCipherData(wrapped),
  );
}

function writeCipherData(value: Buffer): string {
  return writeElement('xenc:CipherData', {}, writeElement('xenc:CipherValue', {}, value.toString('base64')));
}
