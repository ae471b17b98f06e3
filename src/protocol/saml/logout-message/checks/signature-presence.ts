import { SamlMessageRefused } from '../../saml-message-refused.js';
import { NS } from '../../terms.js';
import { isNamed, selfAndDescendants } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';

/** Signed on every binding, whatever else a peer does without: TLS says which machine it is, not which entity. @see SLO-61, SLO-80, SLOX-10 */
export const itIsSigned: LogoutMessageCheck = ({ root, incoming: { binding, querySignature } }) => {
  const embedded = selfAndDescendants(root).some((one) => isNamed(one, NS.ds, 'Signature'));
  if (binding === 'redirect' ? querySignature !== null : embedded) return;
  const where = binding === 'redirect' ? 'the query has no SigAlg and Signature' : 'there is no ds:Signature in it';
  throw new SamlMessageRefused('unsigned', 'SLO-80', `a logout message must be signed: ${where}`);
};
