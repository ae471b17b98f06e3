import { STATUS_PREFIX } from '../terms.js';
import type { SamlStatus } from '../types.js';
import { headAttributes, writeIssuer } from './message-parts.js';
import type { MessageHead } from './message-parts.js';
import { writeElement, writeText } from './write-xml.js';

export interface LogoutResponseContent extends MessageHead {
  /** ID of the request; null only where it could not be read. @see SLO-13 */
  inResponseTo: string | null;
  status: SamlStatus;
}

/**
 * A LogoutResponse, not signed yet, as canonical XML.
 * @throws UnbuildableMessage when a value cannot be carried by XML.
 * @see SLO-12 to SLO-18
 */
export function buildLogoutResponse(content: LogoutResponseContent): string {
  return writeElement(
    'samlp:LogoutResponse',
    { ...headAttributes(content), InResponseTo: content.inResponseTo ?? undefined },
    writeIssuer(content.issuer),
    writeStatus(content.status),
  );
}

/** The second-level code stands inside the top-level one. @see SLO-16 */
function writeStatus({ code, subCode, message }: SamlStatus): string {
  const second = subCode === null ? null : writeElement('samlp:StatusCode', { Value: statusUri(subCode) });
  return writeElement(
    'samlp:Status',
    {},
    writeElement('samlp:StatusCode', { Value: statusUri(code) }, second),
    message === null ? null : writeElement('samlp:StatusMessage', {}, writeText(message)),
  );
}

/** SAML's own codes are known by their last part, all others by the whole URI. */
function statusUri(code: string): string {
  return code.includes(':') ? code : `${STATUS_PREFIX}${code}`;
}
