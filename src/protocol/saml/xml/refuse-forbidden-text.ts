import { SamlMessageRefused } from '../saml-message-refused.js';
import type { XmlLimits } from './xml-limits.js';

const DECLARATION = /^<\?xml[ \t\r\n]([^?]*)\?>/;
/** With the flag `u` the halves of a pair are one character. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const PSEUDO_ATTRIBUTE = /(version|encoding|standalone)[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')/g;

/**
 * What can be told of a text before any parser sees it: it is small enough, made of characters, in UTF-8 by its own word, and has no
 * document type, entity, CDATA section, processing instruction, or comment. `<!` and `<?` have no other meaning in XML, so that nothing
 * has to be understood to find them.
 *
 * @returns the text without a byte order mark of UTF-8.
 * @see SLOX-11, SLOX-12, SLOX-17
 */
export function refuseForbiddenText(xml: string, limits: XmlLimits): string {
  // Characters are never more than bytes: a text that is far too long is not even counted.
  const size = xml.length > limits.bytes ? xml.length : Buffer.byteLength(xml);
  if (size > limits.bytes)
    throw new SamlMessageRefused('too_large', 'SLOX-17', `the XML has ${size} bytes, at most ${limits.bytes} are taken`);
  if (LONE_SURROGATE.test(xml) || xml.includes('\0')) throw forbidden('SLOX-17', 'the XML has characters that are none; wanted is UTF-8');
  const text = xml.startsWith('\ufeff') ? xml.slice(1) : xml;
  const declaration = DECLARATION.exec(text);
  if (declaration) judgeDeclaration(declaration[1]!);
  const rest = declaration ? text.slice(declaration[0].length) : text;
  if (/<!DOCTYPE|<!ENTITY/i.test(rest)) throw forbidden('SLOX-11', 'the XML has a document type or an entity declaration');
  if (/<!(?!--)/.test(rest)) throw forbidden('SLOX-12', 'the XML has a CDATA section');
  if (rest.includes('<!--') && limits.comments === 'refuse') throw forbidden('SLOX-12', 'the XML has a comment');
  if (rest.includes('<?'))
    throw forbidden('SLOX-12', 'the XML has a processing instruction, or an XML declaration that is not at its start');
  return text;
}

function judgeDeclaration(text: string): void {
  const found = new Map(Array.from(text.matchAll(PSEUDO_ATTRIBUTE), (match) => [match[1]!, match[2] ?? match[3] ?? '']));
  const version = found.get('version');
  // XML 1.1 has other characters and other line ends.
  if (version !== '1.0') throw forbidden('SLOX-17', `the XML declaration names version ${quoted(version)}, wanted is 1.0`);
  const encoding = found.get('encoding') ?? 'UTF-8';
  if (encoding.toUpperCase() !== 'UTF-8') throw forbidden('SLOX-17', `the XML declares the encoding ${quoted(encoding)}, wanted is UTF-8`);
}

const quoted = (text: string | undefined) => (text === undefined ? 'none' : JSON.stringify(text.slice(0, 40)));

function forbidden(clause: string, description: string): SamlMessageRefused {
  return new SamlMessageRefused('forbidden_xml', clause, description);
}
