import { SamlMessageRefused } from '../../saml-message-refused.js';
import { ENTITY_FORMAT, NS } from '../../terms.js';
import { attributesOf, elementsIn, isNamed, onlyText } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { quoted, schemaRefusal } from '../schema-refusal.js';

/** Byte for byte: no tolerance for white space, for case or for a slash. An entityID has a Format of its own or none, and no qualifier. @see SLO-4, SLO-14, SLOX-16 */
export const theIssuerIsTheRegisteredOne: LogoutMessageCheck = ({ root }, { issuer }) => {
  const element = elementsIn(root).find((one) => isNamed(one, NS.saml, 'Issuer'))!;
  for (const { name, namespaceURI, value } of attributesOf(element)) {
    if (namespaceURI || name !== 'Format') throw schemaRefusal('SLO-4', `Issuer is an entityID, which has no attribute ${quoted(name)}`);
    if (value !== ENTITY_FORMAT)
      throw schemaRefusal('SLO-4', `the Format of Issuer must be ${ENTITY_FORMAT} or absent, it is ${quoted(value)}`);
  }
  const seen = onlyText(element) ?? '';
  if (seen === issuer) return;
  throw new SamlMessageRefused('unknown_issuer', 'SLO-4', `Issuer is ${quoted(seen)}, wanted is ${quoted(issuer)}`);
};
