import { createHash } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import { messageOf } from '#domain';
import { SamlMessageRefused } from '../saml-message-refused.js';
import { allowedDigests, allowedSignatures, ENVELOPED, EXCLUSIVE_C14N } from './signature-algorithms.js';
import type { SignatureScheme } from './signature-algorithms.js';
import { signaturePartsOf } from './signature-parts.js';
import { isSignedByOneOf, keysFor } from './signing-keys.js';

/** Never used: the library wants some key before it asks the algorithm, which has its own. */
const NO_KEY = 'the keys are those of the metadata';

/**
 * The octets of the message that its signature is over: canonical XML without the signature, by the library that made them, digested and
 * compared, and whose SignedInfo one of the keys has signed.
 *
 * The library is given no algorithm but those that are allowed, and no key of the message. What it would take in a signature and we do
 * not was judged before.
 *
 * @param xml the message, a whole document.
 * @param root of that document, its signature judged by `theSignatureCoversTheMessageAlone` and `theAlgorithmsAreAllowed`.
 * @throws SamlMessageRefused `bad_signature`, `forbidden_algorithm`
 * @see SLO-82, SLO-83, SLO-86
 */
export function signedOctetsOf(xml: string, root: Element, certificates: readonly string[], allowSha1: boolean): string {
  const { signature, signatureMethod } = signaturePartsOf(root)!;
  const scheme = allowedSignatures(allowSha1)[signatureMethod.getAttribute('Algorithm')!]!;
  const keys = keysFor(scheme, certificates);
  const signed = new SignedXml({ publicCert: NO_KEY, getCertFromKeyInfo: () => null });
  signed.CanonicalizationAlgorithms = only(signed.CanonicalizationAlgorithms, [ENVELOPED, EXCLUSIVE_C14N]);
  signed.HashAlgorithms = mapped(allowedDigests(allowSha1), hashAlgorithm);
  signed.SignatureAlgorithms = mapped(allowedSignatures(allowSha1), (one, uri) => signatureAlgorithm(one, uri, keys));
  let isValid = false;
  try {
    signed.loadSignature(signature);
    isValid = signed.checkSignature(xml);
  } catch (error) {
    throw refusal("the signature is not that of a key in the sender's metadata", messageOf(error).slice(0, 200));
  }
  if (!isValid) throw refusal('the message was changed after it was signed: its digest is another one');
  const [octets, ...others] = signed.getSignedReferences();
  if (octets === undefined || others.length > 0) throw refusal('the signature must be over one element');
  return octets;
}

function hashAlgorithm(hash: SignatureScheme['hash'], uri: string) {
  return class {
    getAlgorithmName = () => uri;
    getHash = (xml: string) => createHash(hash).update(xml, 'utf8').digest('base64');
  };
}

/** The library's own ones know neither ECDSA nor several keys. */
function signatureAlgorithm(scheme: SignatureScheme, uri: string, keys: ReturnType<typeof keysFor>) {
  return class {
    getAlgorithmName = () => uri;
    getSignature = (): never => {
      throw new Error('this one verifies only');
    };
    verifySignature = (octets: unknown, _key: unknown, value: unknown) =>
      isSignedByOneOf(keys, scheme, Buffer.from(octets as string, 'utf8'), Buffer.from(value as string, 'base64'));
  };
}

function only<T>(table: Record<string, T>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, table[name]!]));
}

function mapped<T, U>(table: Readonly<Record<string, T>>, make: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, make(value, key)]));
}

function refusal(description: string, detail?: string): SamlMessageRefused {
  return new SamlMessageRefused('bad_signature', 'SLO-82', description, detail);
}
