import { MetadataRefused } from './metadata-refused.js';
import type { FoundEntity } from './outline-metadata.js';

/** One entity, however large the document around it is. Characters, elements: what is read at one go without anybody noticing. */
const LONGEST = 512 * 1024;
const MOST_ELEMENTS = 20_000;

/**
 * The text of one EntityDescriptor as a document of its own: with the namespaces that were declared around it.
 * @throws MetadataRefused when it is too large
 */
export function cutEntity(xml: string, entity: FoundEntity): string {
  const size = entity.end - entity.start;
  if (size > LONGEST) refuse(`must be at most ${LONGEST} characters long for one entity`, size);
  if (entity.elements > MOST_ELEMENTS) refuse(`must have at most ${MOST_ELEMENTS} elements in one entity`, entity.elements);
  const text = xml.slice(entity.start, entity.end);
  if (/\p{Cs}/u.test(text)) throw new MetadataRefused('document', 'SLOX-17', 'must be Unicode text', 'half of a surrogate pair');
  const name = /^<[^\s/>]+/.exec(text)![0];
  const declared = entity.namespaces.map(([prefix, uri]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`);
  return `${name}${declared.join('')}${text.slice(name.length)}`;
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function refuse(rule: string, seen: number): never {
  throw new MetadataRefused('document', 'SLO-75', rule, seen);
}
