const ELEMENT = 1;
const TEXT = 3;
const XMLNS = 'http://www.w3.org/2000/xmlns/';

export function isNamed(element: Element, namespace: string, name: string): boolean {
  return element.namespaceURI === namespace && element.localName === name;
}

export function elementsIn(parent: Node): Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) if (node.nodeType === ELEMENT) found.push(node as Element);
  return found;
}

/** All elements below, in document order, the element itself first. Depth is bounded by the parser. */
export function selfAndDescendants(element: Element): Element[] {
  return [element, ...elementsIn(element).flatMap(selfAndDescendants)];
}

/** Attributes that are not namespace declarations. */
export function attributesOf(element: Element): Attr[] {
  return Array.from(element.attributes).filter((attribute) => attribute.namespaceURI !== XMLNS);
}

/** Prefixes that the element declares itself; the default namespace as an empty prefix. */
export function declarationsOf(element: Element): { prefix: string; uri: string }[] {
  return Array.from(element.attributes)
    .filter((attribute) => attribute.namespaceURI === XMLNS)
    .map((attribute) => ({ prefix: attribute.name === 'xmlns' ? '' : attribute.localName, uri: attribute.value }));
}

/** The value of an attribute without namespace; null when it is not there. */
export function attributeOf(element: Element, name: string): string | null {
  return attributesOf(element).find((one) => !one.namespaceURI && one.name === name)?.value ?? null;
}

/** The text of an element that has nothing but text: all of its text nodes. Null when there is anything else in it. @see SLOX-12 */
export function onlyText(element: Element): string | null {
  let text = '';
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType !== TEXT) return null;
    text += node.nodeValue ?? '';
  }
  return text;
}

/** Whether text stands beside the child elements. */
export function hasTextBesideElements(element: Element): boolean {
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType !== ELEMENT && /[^ \t\r\n]/.test(node.nodeValue ?? 'x')) return true;
  }
  return false;
}
