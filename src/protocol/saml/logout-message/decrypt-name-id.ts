import { createDecipheriv } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decryptKeyInfo } from 'xml-encryption';
import { messageOf } from '#domain';
import { decodeUtf8 } from '../incoming/decode-utf8.js';
import { SamlMessageRefused } from '../saml-message-refused.js';
import { NS } from '../terms.js';
import { parseStrictXml } from '../xml/index.js';
import { encryptedIdPartsOf } from './encrypted-id-parts.js';
import type { EncryptedIdParts } from './encrypted-id-parts.js';
import { judgeNameIdForm } from './read-name-id.js';

const KEY_BYTES = { 'aes-128-gcm': 16, 'aes-256-gcm': 32 };
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The NameID in an EncryptedID, with the private keys that we have. Only of a message whose signature is verified, so that nobody but the
 * peer can ask us to decrypt; and whatever goes wrong, the peer is told one thing.
 *
 * @throws SamlMessageRefused `undecryptable`
 * @see SLO-11, SLO-81, SLO-85
 */
export function decryptNameId(encryptedId: Element, keys: readonly KeyObject[]): Element {
  if (keys.length === 0) throw undecryptable('there is no key to decrypt with');
  const parts = encryptedIdPartsOf(encryptedId);
  if (typeof parts === 'string') throw undecryptable(parts);
  const text = decrypt(parts, keys);
  try {
    const nameId = parseStrictXml(decodeUtf8(text)).documentElement;
    judgeNameIdForm(nameId);
    return nameId;
  } catch (error) {
    // Of what the rule says about the text nothing is told: it is about what was secret.
    throw undecryptable(`what was encrypted is no NameID: ${error instanceof SamlMessageRefused ? error.clause : messageOf(error)}`);
  }
}

function decrypt({ cipher, octets, keys: wrapped }: EncryptedIdParts, keys: readonly KeyObject[]): Buffer {
  for (const one of wrapped) {
    for (const key of keys) {
      const contentKey = unwrap(one, key);
      const text = contentKey?.length === KEY_BYTES[cipher] ? open(cipher, contentKey, octets) : null;
      if (text) return text;
    }
  }
  throw undecryptable('no EncryptedKey is for one of our keys, or what it opens was changed');
}

/** The library knows the combinations of hashes in OAEP that Node does not. It is given a KeyInfo with the values that were judged, and no other. */
function unwrap({ transport, oaepHash, mask, octets }: EncryptedIdParts['keys'][number], key: KeyObject): Buffer | null {
  const digest = oaepHash === null ? '' : `<ds:DigestMethod Algorithm="${oaepHash}"/>`;
  const mgf = mask === null ? '' : `<xenc11:MGF xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" Algorithm="${mask}"/>`;
  const keyInfo =
    `<ds:KeyInfo xmlns:ds="${NS.ds}" xmlns:xenc="${NS.xenc}"><xenc:EncryptedKey>` +
    `<xenc:EncryptionMethod Algorithm="${transport}">${digest}${mgf}</xenc:EncryptionMethod>` +
    `<xenc:CipherData><xenc:CipherValue>${octets.toString('base64')}</xenc:CipherValue></xenc:CipherData>` +
    '</xenc:EncryptedKey></ds:KeyInfo>';
  try {
    return decryptKeyInfo(keyInfo, { key: key.export({ type: 'pkcs8', format: 'pem' }) });
  } catch {
    return null;
  }
}

/** With a whole tag: Node would take a shorter one. */
function open(cipher: EncryptedIdParts['cipher'], key: Buffer, octets: Buffer): Buffer | null {
  if (octets.length <= IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(cipher, key, octets.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(octets.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(octets.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

function undecryptable(detail: string): SamlMessageRefused {
  const description = 'the EncryptedID must be encrypted by aes128-gcm or aes256-gcm, with a key wrapped by rsa-oaep for our certificate';
  return new SamlMessageRefused('undecryptable', 'SLO-85', description, detail);
}
