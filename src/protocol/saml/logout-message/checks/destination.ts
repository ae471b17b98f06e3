import { SamlMessageRefused } from '../../saml-message-refused.js';
import { attributeOf } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { quoted } from '../schema-refusal.js';

/**
 * Destination is one of our own URLs, to the letter. Over Redirect and POST it must be there, for the message is signed; over SOAP it may be
 * missing in a request; an answer over SOAP comes back on the connection that we opened, so that it is not looked at. @see SLO-9, SLO-14, SLO-72, SLOX-15
 */
export const itIsForUs: LogoutMessageCheck = ({ root, incoming: { binding, kind } }, { destinations }) => {
  if (binding === 'soap' && kind === 'response') return;
  const destination = attributeOf(root, 'Destination');
  if (destination === null && binding === 'soap') return;
  if (destination !== null && destinations.includes(destination)) return;
  const seen = destination === null ? 'missing' : quoted(destination);
  const wanted = destinations.map(quoted).join(' or ');
  throw new SamlMessageRefused('wrong_destination', 'SLO-9', `Destination is ${seen}, wanted is ${wanted}`);
};
