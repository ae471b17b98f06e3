import type { NameId } from '#domain';
import { NS } from '../terms.js';
import { attributeOf, attributesOf, isNamed, onlyText } from '../xml/index.js';
import { quoted, schemaRefusal } from './schema-refusal.js';

const ATTRIBUTES = ['Format', 'NameQualifier', 'SPNameQualifier', 'SPProvidedID'];
/** Characters. A persistent identifier has at most 256; distinguished names are longer. */
const LONGEST = 2_048;

/** @see SLO-7, SLOX-17 */
export function judgeNameIdForm(element: Element): void {
  if (!isNamed(element, NS.saml, 'NameID')) throw schemaRefusal('SLO-1', `wanted is a saml:NameID, not ${quoted(element.localName)}`);
  for (const { name, namespaceURI, value } of attributesOf(element)) {
    if (namespaceURI || !ATTRIBUTES.includes(name)) throw schemaRefusal('SLO-7', `NameID has no attribute ${quoted(name)}`);
    if (value.length > LONGEST) throw schemaRefusal('SLO-7', `${name} of NameID is longer than ${LONGEST} characters`);
  }
  const text = onlyText(element);
  if (text === null || text.trim() === '') throw schemaRefusal('SLO-7', 'NameID must have text, and nothing else');
  if (text.length > LONGEST) throw schemaRefusal('SLO-7', `NameID is longer than ${LONGEST} characters`);
}

/**
 * Text and attributes as they are written: not trimmed, not normalised, no default for what is absent. What looks alike is not the same.
 * @see SLO-7, SLOX-12, SLOX-19
 */
export function readNameId(element: Element): NameId {
  const nameId: NameId = { value: onlyText(element) ?? '' };
  const add = (key: 'format' | 'nameQualifier' | 'spNameQualifier' | 'spProvidedId', name: string) => {
    const value = attributeOf(element, name);
    if (value !== null) nameId[key] = value;
  };
  add('format', 'Format');
  add('nameQualifier', 'NameQualifier');
  add('spNameQualifier', 'SPNameQualifier');
  add('spProvidedId', 'SPProvidedID');
  return nameId;
}
