import { UnbuildableMessage } from './unbuildable-message.js';

/** Anything outside the Char production of XML 1.0: a document with one of these cannot be parsed, escaped or not. */
const NO_XML_CHARACTER = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
/** `>` because of `]]>`; white space, and what XML 1.1 takes for line ends, because a parser would turn it into another. */
const SPECIAL = /[&<>"\t\n\r\u0085\u2028]/g;
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

/** The attributes of an element in their order; what is `undefined` is left out. */
export type XmlAttributes = Readonly<Record<string, string | undefined>>;

/**
 * An element as text. The names are ours, the values anybody's.
 * @param content text that has been written already.
 */
export function writeElement(name: string, attributes: XmlAttributes, ...content: readonly (string | null)[]): string {
  const written = Object.entries(attributes).map(([key, value]) => (value === undefined ? '' : ` ${key}="${writeText(value)}"`));
  return `<${name}${written.join('')}>${content.join('')}</${name}>`;
}

/**
 * Text as it must stand in an element or an attribute, so that a parser reads back the same characters.
 * @throws UnbuildableMessage for a character that XML cannot carry.
 */
export function writeText(text: string): string {
  const forbidden = NO_XML_CHARACTER.exec(text);
  if (forbidden) {
    const code = forbidden[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    throw new UnbuildableMessage(`a value has the character U+${code}, which XML cannot carry`);
  }
  return text.replace(SPECIAL, (character) => REFERENCES[character]!);
}
