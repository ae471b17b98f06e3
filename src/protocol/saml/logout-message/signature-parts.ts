import { NS } from '../terms.js';
import { elementsIn, isNamed } from '../xml/index.js';

/** What a signature of the one form that is taken consists of. */
export interface SignatureParts {
  signature: Element;
  signedInfo: Element;
  canonicalizationMethod: Element;
  signatureMethod: Element;
  reference: Element;
  transforms: Element[];
  digestMethod: Element;
  digestValue: Element;
  signatureValue: Element;
  keyInfo: Element | null;
}

/** Null when any part is missing, doubled, elsewhere, or joined by something else. @see SLO-87 */
export function signaturePartsOf(root: Element): SignatureParts | null {
  const signature = elementsIn(root).find((one) => isNamed(one, NS.ds, 'Signature'));
  const [signedInfo, signatureValue, keyInfo] = exactly(signature, ['SignedInfo', 'SignatureValue'], 'KeyInfo') ?? [];
  const [canonicalizationMethod, signatureMethod, reference] =
    exactly(signedInfo, ['CanonicalizationMethod', 'SignatureMethod', 'Reference']) ?? [];
  const [transformList, digestMethod, digestValue] = exactly(reference, ['Transforms', 'DigestMethod', 'DigestValue']) ?? [];
  const transforms = exactly(transformList, ['Transform', 'Transform']);
  if (!signature || !signedInfo || !signatureValue || !canonicalizationMethod || !signatureMethod) return null;
  if (!reference || !digestMethod || !digestValue || !transforms) return null;
  return {
    signature,
    signedInfo,
    canonicalizationMethod,
    signatureMethod,
    reference,
    transforms,
    digestMethod,
    digestValue,
    signatureValue,
    keyInfo: keyInfo ?? null,
  };
}

/** The child elements, if they are these and no others; the last one may be missing. */
function exactly(parent: Element | undefined, names: readonly string[], optional?: string): Element[] | null {
  if (!parent) return null;
  const children = elementsIn(parent);
  const wanted = optional !== undefined && children.length === names.length + 1 ? [...names, optional] : names;
  const fits = children.length === wanted.length && children.every((child, n) => isNamed(child, NS.ds, wanted[n]!));
  return fits ? children : null;
}
