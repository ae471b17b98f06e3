import { decodeBase64 } from '../incoming/decode-base64.js';
import { NS } from '../terms.js';
import { attributeOf, elementsIn, hasTextBesideElements, isNamed, onlyText } from '../xml/index.js';

const XENC11 = 'http://www.w3.org/2009/xmlenc11#';
/** Authenticated ciphers alone: what CBC decrypts to can be guessed by asking often enough. @see SLO-85 */
const CIPHERS: Readonly<Record<string, 'aes-128-gcm' | 'aes-256-gcm'>> = {
  [`${XENC11}aes128-gcm`]: 'aes-128-gcm',
  [`${XENC11}aes256-gcm`]: 'aes-256-gcm',
};
/** OAEP alone. @see SLO-85 */
const TRANSPORTS = [`${NS.xenc}rsa-oaep-mgf1p`, `${XENC11}rsa-oaep`];
const OAEP_HASHES = [`${NS.ds}sha1`, `${NS.xenc}sha256`, `${NS.xenc}sha512`];
const MASKS = ['mgf1sha1', 'mgf1sha256', 'mgf1sha384', 'mgf1sha512'].map((name) => `${XENC11}${name}`);
/** One for each recipient, and we are one. */
const MOST_KEYS = 8;

/** What an EncryptedID says, in values that were compared with lists. */
export interface EncryptedIdParts {
  cipher: 'aes-128-gcm' | 'aes-256-gcm';
  octets: Buffer;
  keys: { transport: string; oaepHash: string | null; mask: string | null; octets: Buffer }[];
}

/**
 * The EncryptedKey may stand inside the EncryptedData or beside it. Who it is for is not read: whether it is for us shows when it is
 * unwrapped. @returns a text, for our log, when it is not of the form that is taken. @see SLO-11, SLO-85
 */
export function encryptedIdPartsOf(encryptedId: Element): EncryptedIdParts | string {
  const [data, ...beside] = elementsIn(encryptedId);
  if (!data || !isNamed(data, NS.xenc, 'EncryptedData')) return 'EncryptedID must begin with EncryptedData';
  const cipher = CIPHERS[methodOf(data) ?? ''];
  if (!cipher) return `EncryptionMethod of EncryptedData is ${methodOf(data) ?? 'missing'}`;
  const octets = cipherValueOf(data);
  if (!octets) return 'EncryptedData must have one CipherValue in base64';
  const inside = elementsIn(data)
    .filter((one) => isNamed(one, NS.ds, 'KeyInfo'))
    .flatMap(elementsIn);
  const wrapped = [...inside, ...beside].filter((one) => isNamed(one, NS.xenc, 'EncryptedKey'));
  if (wrapped.length === 0 || wrapped.length > MOST_KEYS) return `there are ${wrapped.length} EncryptedKeys`;
  const keys: EncryptedIdParts['keys'] = [];
  for (const one of wrapped) {
    const key = keyOf(one);
    if (typeof key === 'string') return key;
    keys.push(key);
  }
  return { cipher, octets, keys };
}

function keyOf(wrapped: Element): EncryptedIdParts['keys'][number] | string {
  const transport = methodOf(wrapped);
  if (transport === null || !TRANSPORTS.includes(transport)) return `EncryptionMethod of EncryptedKey is ${transport ?? 'missing'}`;
  const octets = cipherValueOf(wrapped);
  if (!octets) return 'EncryptedKey must have one CipherValue in base64';
  const inside = elementsIn(elementsIn(wrapped).find((one) => isNamed(one, NS.xenc, 'EncryptionMethod'))!);
  const known = (one: Element) => isNamed(one, NS.ds, 'DigestMethod') || isNamed(one, XENC11, 'MGF');
  const odd = inside.find((one) => !known(one));
  if (odd) return `EncryptionMethod of EncryptedKey has ${odd.localName}`;
  const algorithms = (name: string) => inside.filter((one) => one.localName === name).map((one) => attributeOf(one, 'Algorithm') ?? '');
  const [oaepHash = null, ...moreHashes] = algorithms('DigestMethod');
  const [mask = null, ...moreMasks] = algorithms('MGF');
  const fits = (oaepHash === null || OAEP_HASHES.includes(oaepHash)) && (mask === null || MASKS.includes(mask));
  if (!fits || moreHashes.length + moreMasks.length > 0) return `OAEP with ${oaepHash} and ${mask}`;
  return { transport, oaepHash, mask, octets };
}

function methodOf(element: Element): string | null {
  const methods = elementsIn(element).filter((one) => isNamed(one, NS.xenc, 'EncryptionMethod'));
  return methods.length === 1 ? attributeOf(methods[0]!, 'Algorithm') : null;
}

function cipherValueOf(element: Element): Buffer | null {
  const data = elementsIn(element).filter((one) => isNamed(one, NS.xenc, 'CipherData'));
  const values = data.flatMap(elementsIn);
  if (data.length !== 1 || hasTextBesideElements(data[0]!) || values.length !== 1 || !isNamed(values[0]!, NS.xenc, 'CipherValue'))
    return null;
  const text = onlyText(values[0]!);
  return text === null ? null : decodeBase64(text);
}
