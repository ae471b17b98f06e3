import { DOMParser, XMLSerializer } from '@xmldom/xmldom';
import type { Random } from './random.js';

type TreeMutation = (elements: Element[], random: Random) => void;

/** Changes of the document as a tree: what stands where, twice, under another name, or inside something else. */
const TREE_MUTATIONS: readonly TreeMutation[] = [
  (all, random) => random.of(all).appendChild(random.of(all).cloneNode(true)),
  (all, random) => insertBefore(random.of(all), random.of(all).cloneNode(true)),
  (all, random) => insertBefore(random.of(all), detached(random.of(all))),
  (all, random) => random.of(all).appendChild(detached(random.of(all))),
  (all, random) => void detached(random.of(all)),
  (all, random) => wrap(random.of(all), random),
  (all, random) => swap(random.of(all), random.of(all)),
  (all, random) => copyAttributes(random.of(all), random.of(all)),
  (all, random) =>
    random
      .of(all)
      .setAttribute(
        random.of(['ID', 'Id', 'id', 'Format', 'NameQualifier', 'Destination', 'x']),
        random.of(['_request-1', '_response-1', '', 'x']),
      ),
  (all, random) => removeAttribute(random.of(all), random),
  (all, random) => {
    const element = random.of(all);
    element.textContent = random.of(['admin@victim.example', '', ' ', element.textContent ?? '']);
  },
  (all, random) => replaceWithForgedCopy(all, random),
];

/** The text with a few such changes; the text itself when it is no XML. */
export function mutateTree(xml: string, random: Random): string {
  let document: Document;
  try {
    const quiet = () => undefined;
    document = new DOMParser({ errorHandler: { warning: quiet, error: quiet } }).parseFromString(xml, 'text/xml');
    if (!document?.documentElement) return xml;
    for (let n = 1 + random.below(3); n > 0; n -= 1) {
      const all = Array.from(document.getElementsByTagName('*'));
      random.of(TREE_MUTATIONS)(all, random);
    }
    return new XMLSerializer().serializeToString(document);
  } catch {
    // An element cannot stand inside itself, and the like.
    return xml;
  }
}

function detached(element: Element): Element {
  element.parentNode?.removeChild(element);
  return element;
}

function insertBefore(place: Element, node: Node): void {
  place.parentNode?.insertBefore(node, place);
}

function wrap(element: Element, random: Random): void {
  const names = ['samlp:Extensions', 'ds:Object', 'x', 'saml:NameID', 'ds:Signature', 'ds:KeyInfo', 'samlp:LogoutRequest'];
  const wrapper = element.ownerDocument.createElement(random.of(names));
  element.parentNode?.replaceChild(wrapper, element);
  wrapper.appendChild(element);
}

function swap(one: Element, other: Element): void {
  const place = one.ownerDocument.createElement('x');
  one.parentNode?.replaceChild(place, one);
  other.parentNode?.replaceChild(one, other);
  place.parentNode?.replaceChild(other, place);
}

function copyAttributes(from: Element, to: Element): void {
  for (const attribute of Array.from(from.attributes)) to.setAttribute(attribute.name, attribute.value);
}

function removeAttribute(element: Element, random: Random): void {
  const attributes = Array.from(element.attributes);
  if (attributes.length > 0) element.removeAttribute(random.of(attributes).name);
}

/** Signature wrapping at a place that nobody thought of: a forged copy of the message, and the original somewhere in it. */
function replaceWithForgedCopy(all: Element[], random: Random): void {
  const message = all.find((one) => /^Logout/.test(one.localName));
  if (!message) return;
  const forged = message.cloneNode(true) as Element;
  for (const one of Array.from(forged.getElementsByTagName('*'))) {
    if (one.localName === 'NameID' || one.localName === 'SessionIndex') one.textContent = 'admin@victim.example';
    if (one.localName === 'Signature' && random.next() < 0.5) one.parentNode!.removeChild(one);
  }
  if (random.next() < 0.5) forged.setAttribute('ID', '_forged-1');
  message.parentNode!.replaceChild(forged, message);
  const places = [forged, ...Array.from(forged.getElementsByTagName('*'))];
  const place = random.of(places);
  if (random.next() < 0.5) place.appendChild(message);
  else place.insertBefore(message, place.firstChild);
}
