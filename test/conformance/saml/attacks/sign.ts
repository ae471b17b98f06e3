import { createHash, sign } from 'node:crypto';
import { DS, SIGNATURE_PLACE, unsigned } from './write-message.js';
import type { KeyPair } from './world.js';

export const EXC_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
export const ENVELOPED = `${DS}enveloped-signature`;
export const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
export const RSA_SHA1 = `${DS}rsa-sha1`;
export const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';

/** What may be other than it must be in a signature. Texts are XML already. */
export interface SignatureChanges {
  uri?: string;
  c14n?: string;
  transforms?: string;
  signatureMethod?: string;
  /** Inside SignatureMethod. */
  signatureMethodContent?: string;
  digestMethod?: string;
  /** Behind or instead of the one Reference. */
  references?: (reference: string) => string;
  /** Of SignedInfo, after it was signed. */
  tamper?: (signedInfo: string) => string;
  keyInfo?: string;
  /** Behind KeyInfo. */
  behind?: string;
  value?: (signedInfo: string) => string;
}

const HASH = new Map([
  [RSA_SHA1, 'sha1'],
  [`${DS}sha1`, 'sha1'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
  ['http://www.w3.org/2001/04/xmldsig-more#sha384', 'sha384'],
]);
const empty = (name: string, algorithm: string, content = '') => `<ds:${name} Algorithm="${algorithm}">${content}</ds:${name}>`;
export const TRANSFORMS = empty('Transform', ENVELOPED) + empty('Transform', EXC_C14N);

export const digestOf = (octets: string, hash = 'sha256') => createHash(hash).update(octets).digest('base64');

/** @param octets canonical, without the signature. */
export function referenceTo(octets: string, id: string, changes: SignatureChanges = {}): string {
  const { uri = ` URI="#${id}"`, transforms = TRANSFORMS, digestMethod = SHA256 } = changes;
  const digest = digestOf(octets, HASH.get(digestMethod));
  const parts = `<ds:Transforms>${transforms}</ds:Transforms>${empty('DigestMethod', digestMethod)}<ds:DigestValue>${digest}</ds:DigestValue>`;
  return `<ds:Reference${uri}>${parts}</ds:Reference>`;
}

/** The ds:Signature over octets. */
export function signatureOver(octets: string, id: string, pair: KeyPair, changes: SignatureChanges = {}): string {
  const { key, certificate } = pair;
  pair.signedTexts?.add(octets);
  const { c14n = EXC_C14N, signatureMethod = RSA_SHA256, references = (one) => one, tamper = (one) => one } = changes;
  const reference = references(referenceTo(octets, id, changes));
  const method = empty('SignatureMethod', signatureMethod, changes.signatureMethodContent);
  const content = `${empty('CanonicalizationMethod', c14n)}${method}${reference}`;
  const signedInfo = `<ds:SignedInfo xmlns:ds="${DS}">${content}</ds:SignedInfo>`;
  const value = changes.value?.(signedInfo) ?? sign(HASH.get(signatureMethod) ?? 'sha256', Buffer.from(signedInfo), key).toString('base64');
  const base64 = certificate.replace(/-----[^-]+-----|\s/g, '');
  const keyInfo = changes.keyInfo ?? `<ds:X509Data><ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data>`;
  const rest = `<ds:SignatureValue>${value}</ds:SignatureValue><ds:KeyInfo>${keyInfo}</ds:KeyInfo>${changes.behind ?? ''}`;
  return `<ds:Signature xmlns:ds="${DS}">${tamper(`<ds:SignedInfo>${content}</ds:SignedInfo>`)}${rest}</ds:Signature>`;
}

export function idOf(message: string): string {
  return / ID="([^"]*)"/.exec(message)![1]!;
}

/** The message with a signature over all of it in its place. */
export function signed(message: string, pair: KeyPair, changes: SignatureChanges = {}): string {
  return message.replace(SIGNATURE_PLACE, () => signatureOver(unsigned(message), idOf(message), pair, changes));
}
