const ELEMENT = 1;
const TEXT = 3;

/** A tree, one entry an event, written as `readOutline` writes a text. Not recursive: it must be safe for any depth. */
export function outlineOfTree(root: Element): string[] {
  const outline: string[] = [];
  let node: Node | null = root;
  while (node) {
    if (node.nodeType === ELEMENT) open(outline, node as Element);
    else if (node.nodeType === TEXT) outline.push(`#${node.nodeValue ?? ''}`);
    else outline.push(`?${node.nodeName}`);
    if (node.firstChild) {
      node = node.firstChild;
      continue;
    }
    if (node.nodeType === ELEMENT) outline.push('>');
    while (node && node !== root && !node.nextSibling) {
      node = node.parentNode;
      outline.push('>');
    }
    node = node === root ? null : (node?.nextSibling ?? null);
  }
  return outline;
}

function open(outline: string[], element: Element): void {
  outline.push(`<${element.tagName} ${element.namespaceURI ?? ''}`);
  for (let n = 0; n < element.attributes.length; n += 1) {
    const { name, namespaceURI, value } = element.attributes[n]!;
    outline.push(`@${name} ${namespaceURI ?? ''} ${value}`);
  }
}
