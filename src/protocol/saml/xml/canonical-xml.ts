import { ExclusiveCanonicalization } from 'xml-crypto';
import { declarationsOf } from './read-element.js';

const XMLNS = 'http://www.w3.org/2000/xmlns/';

/**
 * An element as a document of its own: exclusive canonical XML, with all the namespaces that were in scope, so that a signature in it
 * verifies as it did where the element stood. Names, attributes and texts are as before; nothing around it comes along.
 *
 * @param element of a document of `parseStrictXml`; is given the declarations of its ancestors.
 * @see SLO-86, SLOX-13
 */
export function standAlone(element: Element): string {
  const declared = new Set(declarationsOf(element).map(({ prefix }) => prefix));
  for (let node = element.parentNode; node && node.nodeType === element.nodeType; node = node.parentNode) {
    for (const { prefix, uri } of declarationsOf(node as Element)) {
      if (declared.has(prefix)) continue;
      declared.add(prefix);
      if (prefix !== '') element.setAttributeNS(XMLNS, `xmlns:${prefix}`, uri);
    }
  }
  const inclusiveNamespacesPrefixList = declarationsOf(element).flatMap(({ prefix }) => (prefix === '' ? [] : [prefix]));
  return new ExclusiveCanonicalization().process(element, { inclusiveNamespacesPrefixList });
}
