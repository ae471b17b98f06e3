import { NS } from '../terms.js';
import type { ClaimedSender, IncomingMessage } from '../types.js';
import { attributeOf, elementsIn, isNamed, onlyText, parseStrictXml } from '../xml/index.js';
import { itHasTheStructureOfALogoutMessage } from './checks/structure.js';

/**
 * Who a message says it is from: good for finding whose keys to try, and for nothing else.
 * @throws SamlMessageRefused when it has not the structure of a logout message
 * @see SLO-81
 */
export function readClaimedSender(message: IncomingMessage): ClaimedSender {
  const root = parseStrictXml(message.xml).documentElement;
  itHasTheStructureOfALogoutMessage({ incoming: message, root }, NOTHING_EXPECTED);
  const issuer = elementsIn(root).find((one) => isNamed(one, NS.saml, 'Issuer'))!;
  return { id: attributeOf(root, 'ID')!, issuer: onlyText(issuer)!, inResponseTo: attributeOf(root, 'InResponseTo') };
}

/** The structure is the same whoever it is from. */
const NOTHING_EXPECTED = {
  issuer: '',
  certificates: [],
  destinations: [],
  allowSha1: false,
  decryptionKeys: [],
  now: new Date(0),
  maxAgeSeconds: 0,
  skewSeconds: 0,
};
