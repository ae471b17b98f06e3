import { DOMParser } from '@xmldom/xmldom';
import { NS } from '../terms.js';
import { withNamespaces } from './published-parts.js';

const ELEMENT = 1;
const TEXT = 3;
const XMLNS = 'http://www.w3.org/2000/xmlns/';

/** The root element of a text that has been judged before: what is wrong with it now is our own fault. @throws Error */
export function rootOf(xml: string): Element {
  const fail = (message: unknown) => {
    throw new Error(`metadata cannot be read: ${String(message)}`);
  };
  const parser = new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } });
  return parser.parseFromString(xml, 'text/xml').documentElement;
}

/** Declares our prefixes once, where they are free, and not at every fragment anew. */
export function declarePrefixes(root: Element): void {
  for (const prefix of ['md', 'ds', 'alg'] as const) {
    const name = `xmlns:${prefix}`;
    if (!root.hasAttribute(name)) root.setAttributeNS(XMLNS, name, NS[prefix]);
  }
}

/** Child elements in their order; a list of its own, so that they may be removed meanwhile. */
export function childrenOf(parent: Element, namespace?: string, name?: string): Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) if (node.nodeType === ELEMENT) found.push(node as Element);
  return namespace === undefined ? found : found.filter((one) => one.namespaceURI === namespace && one.localName === name);
}

/** With the white space before it. */
export function remove(element: Element): void {
  const before = element.previousSibling;
  if (before?.nodeType === TEXT && before.nodeValue?.trim() === '') before.parentNode!.removeChild(before);
  element.parentNode!.removeChild(element);
}

/**
 * Puts fragments behind the last of those children that the schema wants before them; as the first ones where there is none.
 * @param after local names of metadata elements.
 */
export function insertAfter(parent: Element, after: readonly string[], fragments: readonly string[]): void {
  const last = childrenOf(parent).findLast((one) => one.namespaceURI === NS.md && after.includes(one.localName));
  const place = last ? last.nextSibling : parent.firstChild;
  const document = parent.ownerDocument;
  const indent = indentOf(parent);
  for (const part of childrenOf(rootOf(withNamespaces('md:parts', {}, fragments.join(''))))) {
    parent.insertBefore(document.createTextNode(indent), place);
    parent.insertBefore(document.importNode(part, true), place);
  }
}

/** The line break and indentation that its children have, or else those of the element itself and a little more. */
function indentOf(parent: Element): string {
  return lineBreakIn(parent.firstChild) ?? `${lineBreakIn(parent.previousSibling) ?? '\n'}  `;
}

function lineBreakIn(node: Node | null): string | null {
  const text = node?.nodeType === TEXT ? (node.nodeValue ?? '') : '';
  return text.trim() === '' && text.includes('\n') ? text.slice(text.lastIndexOf('\n')) : null;
}
