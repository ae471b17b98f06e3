import { createHash } from 'node:crypto';
import { decodeBase64 } from '../incoming/decode-base64.js';
import { SamlMessageRefused } from '../saml-message-refused.js';
import { attributeOf, canonicalXml, elementsIn, onlyText } from '../xml/index.js';
import { allowedDigests, allowedSignatures } from '../signature/algorithms.js';
import { signaturePartsOf } from './signature-parts.js';
import { isSignedByOneOf, keysFor } from '../signature/signing-keys.js';

/**
 * The octets of the message that its signature is over: canonical XML of all of it but the signature. First one of the keys must have signed
 * SignedInfo, which is small; only then is the message digested, whatever its size.
 *
 * The canonical form is that of xml-crypto. The rest of its verification is not used: it parses the text anew in its own lenient way, and finds
 * the element by XPath over the whole document, for which anybody can make it take seconds. What is left to do of it, once the form
 * was judged, is this.
 *
 * @param root its signature judged by `theSignatureCoversTheMessageAlone` and `theAlgorithmsAreAllowed`.
 * @throws SamlMessageRefused `bad_signature`, `forbidden_algorithm`
 * @see SLO-82, SLO-83, SLO-86, XML Signature 1.1 section 3.2
 */
export function signedOctetsOf(root: Element, certificates: readonly string[], allowSha1: boolean): string {
  const { signature, signedInfo, canonicalizationMethod, signatureMethod, signatureValue, ...parts } = signaturePartsOf(root)!;
  const scheme = allowedSignatures(allowSha1)[attributeOf(signatureMethod, 'Algorithm')!]!;
  const info = canonicalXml(signedInfo, prefixesIn(canonicalizationMethod));
  if (!isSignedByOneOf(keysFor(scheme, certificates), scheme, Buffer.from(info, 'utf8'), base64In(signatureValue))) {
    throw refusal("the signature is not that of a key in the sender's metadata");
  }
  const octets = without(signature, () => canonicalXml(root, prefixesIn(parts.transforms[1]!)));
  const digest = createHash(allowedDigests(allowSha1)[attributeOf(parts.digestMethod, 'Algorithm')!]!).update(octets, 'utf8').digest();
  if (!digest.equals(base64In(parts.digestValue))) throw refusal('the message was changed after it was signed: its digest is another one');
  return octets;
}

/** With the element out of the document for that time: a copy of the document would cost more than all the rest. @see SLO-82 */
function without<T>(element: Element, what: () => T): T {
  const parent = element.parentNode!;
  const next = element.nextSibling;
  parent.removeChild(element);
  try {
    return what();
  } finally {
    parent.insertBefore(element, next);
  }
}

function prefixesIn(method: Element): string[] {
  const [list] = elementsIn(method);
  return (list ? (attributeOf(list, 'PrefixList') ?? '') : '').split(/\s+/).filter((prefix) => prefix !== '');
}

/** Both were judged to be that. */
function base64In(element: Element): Buffer {
  return decodeBase64(onlyText(element) ?? '')!;
}

function refusal(description: string): SamlMessageRefused {
  return new SamlMessageRefused('bad_signature', 'SLO-82', description);
}
