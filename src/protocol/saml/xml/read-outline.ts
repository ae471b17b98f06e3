import { SaxesParser } from 'saxes';
import { SamlMessageRefused } from '../saml-message-refused.js';
import type { XmlLimits } from './xml-limits.js';

/** Line ends to XML 1.1 and to some parsers of XML 1.0, characters to others: two readings of one text. @see SLOX-13 */
const READ_IN_TWO_WAYS = /[\u0085\u2028]/;

/**
 * Reads a document without building anything of it, as a stream: well-formedness, namespaces and limits, so that no tree is ever built of
 * what is too deep or too large for one.
 *
 * @returns what was read, one entry an event, written as `outlineOfTree` writes it.
 * @throws SamlMessageRefused with the place of the fault
 * @see SLOX-13, SLOX-17
 */
export function readOutline(xml: string, limits: XmlLimits): string[] {
  const outline: string[] = [];
  let depth = 0;
  let elements = 0;
  let attributes = 0;
  let textIsOpen = false;
  const names = new Set<string>();
  const parser = new SaxesParser({ xmlns: true, position: true });
  const refuse = (code: 'malformed' | 'too_large' | 'forbidden_xml', clause: string, what: string): never => {
    throw new SamlMessageRefused(code, clause, `the XML ${what} (line ${parser.line}, column ${parser.column})`);
  };
  const tooMany = (what: string, limit: number) => refuse('too_large', 'SLOX-17', `has more than ${limit} ${what}`);
  // The message quotes names of the document, never its text.
  parser.on('error', (error) =>
    refuse('malformed', 'SLO-81', `is not well-formed: ${error.message.replace(/^\d+:\d+: /, '').slice(0, 200)}`),
  );
  parser.on('opentagstart', ({ name }) => {
    textIsOpen = false;
    if ((depth += 1) > limits.depth) tooMany('elements inside one another', limits.depth);
    if ((elements += 1) > limits.elements) tooMany('elements', limits.elements);
    if (names.add(name).size > limits.names) tooMany('different names of elements', limits.names);
  });
  parser.on('opentag', (tag) => {
    const own = Object.values(tag.attributes);
    if (own.length > limits.attributesOfOneElement) tooMany('attributes on one element', limits.attributesOfOneElement);
    if ((attributes += own.length) > limits.attributes) tooMany('attributes', limits.attributes);
    outline.push(`<${tag.name} ${tag.uri}`);
    for (const { name, uri, value } of own) {
      // Canonicalisers take whatever begins so for a declaration, and leave it out of what is signed.
      if (/^xmlns(?!:|$)/i.test(name)) refuse('forbidden_xml', 'SLOX-13', 'has an attribute whose name begins with xmlns');
      if (READ_IN_TWO_WAYS.test(value)) refuse('forbidden_xml', 'SLOX-13', 'has a character that is a line end to some parsers');
      outline.push(`@${name} ${uri} ${value}`);
    }
  });
  parser.on('text', (text) => {
    if (depth === 0 || text === '') return;
    if (READ_IN_TWO_WAYS.test(text)) refuse('forbidden_xml', 'SLOX-13', 'has a character that is a line end to some parsers');
    if (textIsOpen) outline[outline.length - 1] += text;
    else outline.push(`#${text}`);
    textIsOpen = true;
  });
  parser.on('closetag', () => {
    textIsOpen = false;
    depth -= 1;
    outline.push('>');
  });
  parser.write(xml).close();
  return outline;
}
