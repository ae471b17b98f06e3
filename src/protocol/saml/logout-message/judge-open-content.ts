import { NS } from '../terms.js';
import { attributeOf, attributesOf, elementsIn, hasTextBesideElements, isNamed, onlyText, selfAndDescendants } from '../xml/index.js';
import { quoted, schemaRefusal } from './schema-refusal.js';

/** Where the schema lets anything stand, nothing may stand that could be taken for a message, an identity or a signature. */
const NEVER_INSIDE: readonly string[] = [NS.samlp, NS.saml, NS.ds, NS.xenc, NS.soap, 'http://www.w3.org/2001/XInclude'];

/** Content of other namespaces is not looked at, but for `aslo:Asynchronous`. @see SLO-10, SLOX-7, SLOX-11 */
export function judgeExtensions(extensions: Element): void {
  if (attributesOf(extensions).length > 0) throw schemaRefusal('SLO-10', 'Extensions has no attributes');
  const content = elementsIn(extensions);
  if (content.length === 0 || hasTextBesideElements(extensions))
    throw schemaRefusal('SLO-10', 'Extensions must have elements, and nothing else');
  content.forEach(judgeForeign);
}

/** @see SLO-16 */
export function judgeStatus(status: Element): void {
  if (attributesOf(status).length > 0 || hasTextBesideElements(status)) throw schemaRefusal('SLO-16', 'Status must have elements alone');
  const [code, ...others] = elementsIn(status);
  if (!code || !isNamed(code, NS.samlp, 'StatusCode')) throw schemaRefusal('SLO-16', 'Status must begin with a StatusCode');
  judgeCode(code);
  if (others[0] && isNamed(others[0], NS.samlp, 'StatusMessage')) {
    const message = others.shift()!;
    if (attributesOf(message).length > 0 || onlyText(message) === null) throw schemaRefusal('SLO-16', 'StatusMessage must have text alone');
  }
  if (others[0] && isNamed(others[0], NS.samlp, 'StatusDetail')) elementsIn(others.shift()!).forEach(judgeForeign);
  if (others[0]) throw schemaRefusal('SLO-16', `${quoted(others[0].localName)} must not be in Status, or not at that place`);
}

function judgeCode(code: Element): void {
  const attributes = attributesOf(code);
  if (!attributeOf(code, 'Value') || attributes.length > 1)
    throw schemaRefusal('SLO-16', 'StatusCode must have the attribute Value, and no other');
  const [inner, ...others] = elementsIn(code);
  if (hasTextBesideElements(code) || others.length > 0)
    throw schemaRefusal('SLO-16', 'StatusCode may have one StatusCode inside, and nothing else');
  if (!inner) return;
  if (!isNamed(inner, NS.samlp, 'StatusCode')) throw schemaRefusal('SLO-16', `${quoted(inner.localName)} must not be in a StatusCode`);
  judgeCode(inner);
}

function judgeForeign(element: Element): void {
  for (const one of selfAndDescendants(element)) {
    if (!NEVER_INSIDE.includes(one.namespaceURI ?? '')) continue;
    throw schemaRefusal('SLO-10', `${quoted(one.tagName)} must not be inside other content`);
  }
}
