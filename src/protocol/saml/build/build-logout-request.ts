import type { NameId } from '#domain';
import { NS } from '../terms.js';
import type { SamlEncryptionKey } from '../types.js';
import { encryptNameId } from './encrypt-name-id.js';
import { headAttributes, SAML_NAMESPACE, writeIssuer, writeNameId, writeTime } from './message-parts.js';
import type { MessageHead } from './message-parts.js';
import { writeElement, writeText } from './write-xml.js';

export interface LogoutRequestContent extends MessageHead {
  /** After it the request must not be acted upon. @see SLO-5 */
  notOnOrAfter: Date;
  /** @see SLO-6 */
  reason?: string;
  /** As it stood in the assertion. @see SLO-7 */
  nameId: NameId;
  /** Empty: all sessions of the principal. @see SLO-8 */
  sessionIndexes: readonly string[];
  /** No answer is wanted. @see ASLO-1 */
  asynchronous?: boolean;
  /** The NameID goes as an EncryptedID to this key. @see SLO-11 */
  encryptTo?: SamlEncryptionKey;
}

/**
 * A LogoutRequest, not signed yet, as canonical XML.
 * @throws UnbuildableMessage when a value cannot be carried by XML, or the key must not be used.
 * @see SLO-1 to SLO-11
 */
export function buildLogoutRequest(content: LogoutRequestContent): string {
  const { issuer, notOnOrAfter, reason, nameId, sessionIndexes, asynchronous, encryptTo } = content;
  return writeElement(
    'samlp:LogoutRequest',
    { ...headAttributes(content), NotOnOrAfter: writeTime(notOnOrAfter), Reason: reason },
    writeIssuer(issuer),
    asynchronous ? writeElement('samlp:Extensions', {}, writeElement('aslo:Asynchronous', { 'xmlns:aslo': NS.aslo })) : null,
    encryptTo ? writeElement('saml:EncryptedID', SAML_NAMESPACE, encryptNameId(nameId, encryptTo)) : writeNameId(nameId),
    ...sessionIndexes.map((sessionIndex) => writeElement('samlp:SessionIndex', {}, writeText(sessionIndex))),
  );
}
