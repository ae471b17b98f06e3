import { ExclusiveCanonicalization } from 'xml-crypto';
import { declarationsOf } from './read-element.js';

const XMLNS = 'http://www.w3.org/2000/xmlns/';

/**
 * An element as a document of its own: exclusive canonical XML, with all the namespaces that were in scope, so that a signature in it
 * verifies as it did where the element stood. Names, attributes and texts are as before; nothing around it comes along.
 *
 * @param element of a document of `parseStrictXml`; as with `canonicalXml`.
 * @see SLO-86, SLOX-13
 */
export function standAlone(element: Element): string {
  const scope = [...declarationsOf(element), ...declarationsAround(element)];
  return canonicalXml(
    element,
    scope.map(({ prefix }) => prefix).filter((prefix) => prefix !== ''),
  );
}

/**
 * Exclusive canonical XML without comments.
 *
 * @param element is given what its ancestors declare for the prefixes, as an attribute of its own: it means the same as before.
 * @param prefixes of namespaces that are written though no name uses them: an InclusiveNamespaces PrefixList.
 * @see SLO-83
 */
export function canonicalXml(element: Element, prefixes: readonly string[]): string {
  const own = new Set(declarationsOf(element).map(({ prefix }) => prefix));
  for (const { prefix, uri } of declarationsAround(element)) {
    if (prefixes.includes(prefix) && !own.has(prefix)) element.setAttributeNS(XMLNS, `xmlns:${prefix}`, uri);
  }
  return new ExclusiveCanonicalization().process(element, { inclusiveNamespacesPrefixList: [...prefixes] });
}

/** What the ancestors declare and none below them declares anew. */
function declarationsAround(element: Element): { prefix: string; uri: string }[] {
  const found = new Map<string, string>();
  for (let node = element.parentNode; node && node.nodeType === element.nodeType; node = node.parentNode) {
    for (const { prefix, uri } of declarationsOf(node as Element)) if (!found.has(prefix)) found.set(prefix, uri);
  }
  return Array.from(found, ([prefix, uri]) => ({ prefix, uri }));
}
