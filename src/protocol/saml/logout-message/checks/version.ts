import { SamlMessageRefused } from '../../saml-message-refused.js';
import { attributeOf } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { quoted } from '../schema-refusal.js';

/** After the signature, for it is answered with VersionMismatch, and only a known peer is answered. @see SLO-1, SLO-16, SLO-20 */
export const theVersionIsTwoPointZero: LogoutMessageCheck = ({ root }) => {
  const version = attributeOf(root, 'Version') ?? '';
  if (version !== '2.0') throw new SamlMessageRefused('wrong_version', 'SLO-16', `Version is ${quoted(version)}, wanted is 2.0`);
};
