import { SamlMessageRefused } from '../saml-message-refused.js';

/** The message is not as the schema and the profile want it. @see SLO-21 */
export function schemaRefusal(clause: string, description: string): SamlMessageRefused {
  return new SamlMessageRefused('schema', clause, description);
}

/** What a peer wrote, for a description: short, and in one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 200));
}
