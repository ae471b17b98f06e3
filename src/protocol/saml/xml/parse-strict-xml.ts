import { DOMParser } from '@xmldom/xmldom';
import { SamlMessageRefused } from '../saml-message-refused.js';
import { outlineOfTree } from './outline-of-tree.js';
import { readOutline } from './read-outline.js';
import { refuseForbiddenText } from './refuse-forbidden-text.js';
import { MESSAGE_LIMITS } from './xml-limits.js';
import type { XmlLimits } from './xml-limits.js';

const COMMENT = 8;

/**
 * A document from a text that is not trusted. The text is judged as such, then read as a stream within the limits, and only then made a
 * tree by the one parser that is also the verifier's; a tree that is not what the stream was read as is refused, so that there is no
 * document that two parsers understand in two ways.
 *
 * @param xml whole document; an XML declaration and a byte order mark of UTF-8 may stand at its start.
 * @param limits those of a message, unless said otherwise.
 * @throws SamlMessageRefused `too_large`, `forbidden_xml`, `malformed`
 * @see SLO-81, SLOX-11, SLOX-12, SLOX-13, SLOX-17
 */
export function parseStrictXml(xml: string, limits: Partial<XmlLimits> = {}): Document {
  const within = { ...MESSAGE_LIMITS, ...limits };
  const text = refuseForbiddenText(xml, within);
  const outline = readOutline(text, within);
  const document = parseTree(text);
  if (within.comments === 'drop') dropComments(document);
  const tree = outlineOfTree(document.documentElement);
  if (outline.length !== tree.length || outline.some((event, n) => event !== tree[n])) {
    throw new SamlMessageRefused('forbidden_xml', 'SLOX-13', 'the XML is read in two ways by two parsers');
  }
  return document;
}

function parseTree(text: string): Document {
  const fail = (message: unknown): never => {
    throw new Error(String(message));
  };
  try {
    const parser = new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } });
    return parser.parseFromString(text, 'text/xml');
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 200) : undefined;
    throw new SamlMessageRefused('malformed', 'SLO-81', 'the XML is not well-formed', detail);
  }
}

function dropComments(document: Document): void {
  let node: Node | null = document.firstChild;
  while (node) {
    const next: Node | null = nextInOrder(node);
    if (node.nodeType === COMMENT) node.parentNode!.removeChild(node);
    node = next;
  }
  document.normalize();
}

function nextInOrder(node: Node): Node | null {
  if (node.firstChild) return node.firstChild;
  let at: Node | null = node;
  while (at && !at.nextSibling) at = at.parentNode;
  return at?.nextSibling ?? null;
}
