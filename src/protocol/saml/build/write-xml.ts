import { UnbuildableMessage } from './unbuildable-message.js';

/** Anything outside the Char production of XML 1.0: a document with one of these cannot be parsed, escaped or not. */
const NO_XML_CHARACTER = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const IN_TEXT = /[&<>\r\u0085\u2028]/g;
const IN_ATTRIBUTE = /[&<"\t\n\r\u0085\u2028]/g;
const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
  '\u0085': '&#x85;',
  '\u2028': '&#x2028;',
};

/** The attributes of an element, namespaces among them; what is `undefined` is left out. */
export type XmlAttributes = Readonly<Record<string, string | undefined>>;

/**
 * An element as text, in the form of exclusive canonical XML: namespaces first, attributes in the order of their names, no empty-element tags.
 * That its content declares a namespace where it is first used, and not before, is for the one who writes it.
 * The names are ours, the values anybody's.
 * @param content text that has been written already.
 * @throws UnbuildableMessage for a character that XML cannot carry.
 * @see XML-C14N 1.0 section 2.3, XML-EXC-C14N section 3
 */
export function writeElement(name: string, attributes: XmlAttributes, ...content: readonly (string | null)[]): string {
  const written = Object.entries(attributes)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .sort(([one], [other]) => (sortKey(one) < sortKey(other) ? -1 : 1))
    .map(([key, value]) => ` ${key}="${escaped(value, IN_ATTRIBUTE)}"`);
  return `<${name}${written.join('')}>${content.join('')}</${name}>`;
}

/** Text as it must stand in an element, so that every parser reads back the same characters. @throws as {@link writeElement} */
export function writeText(text: string): string {
  return escaped(text, IN_TEXT);
}

/**
 * What canonicalisation makes of an element that was written here: these two characters are themselves in it. On the wire they are references,
 * for some parsers take them for line ends, as XML 1.1 does.
 */
export function canonicalForm(written: string): string {
  return written.replaceAll('&#x85;', '\u0085').replaceAll('&#x2028;', '\u2028');
}

function escaped(value: string, special: RegExp): string {
  const forbidden = NO_XML_CHARACTER.exec(value);
  if (forbidden) {
    const code = forbidden[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    throw new UnbuildableMessage(`a value has the character U+${code}, which XML cannot carry`);
  }
  return value.replace(special, (character) => REFERENCES[character]!);
}

/** No attribute of ours has a namespace. */
function sortKey(name: string): string {
  return name.startsWith('xmlns:') ? `0${name}` : `1${name}`;
}
