import { decodeBase64 } from '../../incoming/decode-base64.js';
import { SamlMessageRefused } from '../../saml-message-refused.js';
import { NS } from '../../terms.js';
import { attributeOf, attributesOf, elementsIn, hasTextBesideElements, isNamed, onlyText, selfAndDescendants } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { quoted } from '../schema-refusal.js';
import { signaturePartsOf } from '../signature-parts.js';
import type { SignatureParts } from '../signature-parts.js';

const DSIG_1_1 = 'http://www.w3.org/2009/xmldsig11#';

/**
 * One signature, a child of the message behind Issuer, over the message as a whole, and nowhere in it a place where anything could hide.
 * In the query of a URL the message itself has none. @see SLO-45, SLO-82, SLO-87, SLOX-1 to SLOX-9
 */
export const theSignatureCoversTheMessageAlone: LogoutMessageCheck = ({ root, incoming: { binding } }) => {
  const all = selfAndDescendants(root);
  const signatures = all.filter((one) => isNamed(one, NS.ds, 'Signature'));
  if (binding === 'redirect') {
    if (signatures.length > 0) throw refusal('SLO-45', 'in the query of a URL the message itself must have no ds:Signature');
    return;
  }
  // That it stands behind Issuer was judged with the structure.
  if (signatures.length !== 1 || signatures[0]!.parentNode !== root) {
    throw refusal('SLO-87', `there must be one ds:Signature, a child of the message, there are ${signatures.length}`);
  }
  const parts = signaturePartsOf(root);
  if (!parts)
    throw refusal('SLO-87', 'the ds:Signature must have one SignedInfo with one Reference, one SignatureValue, and at most a KeyInfo');
  judgeReference(root, all, parts);
  judgeContents(parts);
  if (parts.keyInfo) judgeKeyInfo(parts.keyInfo);
};

function judgeReference(root: Element, all: readonly Element[], { reference }: SignatureParts): void {
  const id = attributeOf(root, 'ID')!;
  const uri = attributeOf(reference, 'URI');
  if (uri !== `#${id}`) {
    throw refusal('SLO-82', `the Reference must be to the message, ${quoted(`#${id}`)}, it is ${uri === null ? 'missing' : quoted(uri)}`);
  }
  const bearers = all.flatMap(attributesOf).filter((one) => /^id$/i.test(one.localName) && one.value === id);
  if (bearers.length !== 1) throw refusal('SLO-87', `the ID of the message must stand in it once, it stands there ${bearers.length} times`);
}

/** Attributes that the parts may have; elements inside them beside those that were found already: none, but for the list of prefixes. */
function judgeContents(parts: SignatureParts): void {
  const { signature, signedInfo, reference, transforms, canonicalizationMethod, signatureMethod, digestMethod } = parts;
  judgeAttributes(signature, ['Id']);
  judgeAttributes(signedInfo, ['Id']);
  judgeAttributes(parts.signatureValue, ['Id']);
  judgeAttributes(reference, ['Id', 'URI']);
  judgeAttributes(transforms[0]!.parentNode as Element, []);
  judgeAttributes(parts.digestValue, []);
  for (const method of [canonicalizationMethod, signatureMethod, digestMethod, ...transforms]) judgeAttributes(method, ['Algorithm']);
  for (const method of [signatureMethod, digestMethod, transforms[0]!]) judgeEmpty(method);
  for (const method of [canonicalizationMethod, transforms[1]!]) judgePrefixes(method);
  for (const element of [signature, signedInfo, reference, transforms[0]!.parentNode as Element]) {
    if (hasTextBesideElements(element)) throw refusal('SLO-87', `there is text in ${element.localName}`);
  }
  for (const element of [parts.digestValue, parts.signatureValue]) {
    const text = onlyText(element);
    if (text === null || decodeBase64(text) === null) throw refusal('SLO-87', `${element.localName} must be base64, and nothing else`);
  }
}

function judgeAttributes(element: Element, allowed: readonly string[]): void {
  const odd = attributesOf(element).find((one) => one.namespaceURI || !allowed.includes(one.name));
  if (odd) throw refusal('SLO-87', `${element.localName} must not have the attribute ${quoted(odd.name)}`);
}

function judgeEmpty(method: Element): void {
  if (elementsIn(method).length > 0 || hasTextBesideElements(method)) throw refusal('SLO-87', `${method.localName} must be empty`);
}

/** @see SLO-82 */
function judgePrefixes(method: Element): void {
  const inside = elementsIn(method);
  const [list] = inside;
  if (!list && !hasTextBesideElements(method)) return;
  const algorithm = attributeOf(method, 'Algorithm') ?? '';
  const fits = list && inside.length === 1 && isNamed(list, algorithm, 'InclusiveNamespaces') && !list.firstChild;
  if (!fits || hasTextBesideElements(method))
    throw refusal('SLO-87', `${method.localName} may have InclusiveNamespaces inside, and nothing else`);
  judgeAttributes(list, ['PrefixList']);
}

/** A hint, which is not followed: keys are those of the metadata. So it need not be understood, but it is no hiding place either. @see SLO-75, SLO-84 */
function judgeKeyInfo(keyInfo: Element): void {
  for (const one of selfAndDescendants(keyInfo)) {
    const known = one.namespaceURI === NS.ds || one.namespaceURI === DSIG_1_1;
    if (known && !['RetrievalMethod', 'Object', 'Reference', 'KeyInfoReference'].includes(one.localName)) continue;
    throw refusal('SLO-84', `${quoted(one.tagName)} must not be in KeyInfo`);
  }
}

function refusal(clause: string, description: string): SamlMessageRefused {
  return new SamlMessageRefused('bad_signature', clause, description);
}
