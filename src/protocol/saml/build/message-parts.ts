import type { NameId } from '#domain';
import { NS } from '../terms.js';
import { writeElement, writeText } from './write-xml.js';

/** What every message of ours begins with. */
export interface MessageHead {
  /** @see SLO-2 */
  id: string;
  /** Our entityID towards this peer. @see SLO-4 */
  issuer: string;
  /** Where it is sent; must be there for Redirect and POST. @see SLO-9 */
  destination?: string;
  issueInstant: Date;
}

/** Each is declared where it is first used, as exclusive canonicalisation has it. */
export const SAML_NAMESPACE = { 'xmlns:saml': NS.saml } as const;
const SAMLP_NAMESPACE = { 'xmlns:samlp': NS.samlp } as const;

/** @see SLO-1, SLO-12 */
export function headAttributes({ id, destination, issueInstant }: MessageHead) {
  return { ...SAMLP_NAMESPACE, ID: id, Version: '2.0', IssueInstant: writeTime(issueInstant), Destination: destination };
}

/** Without a Format: absent means entity. @see SLO-4 */
export function writeIssuer(issuer: string): string {
  return writeElement('saml:Issuer', SAML_NAMESPACE, writeText(issuer));
}

/** Verbatim, with the attributes that it had and no others; it can stand alone. @see SLO-7 */
export function writeNameId(nameId: NameId): string {
  const { value, nameQualifier, spNameQualifier, format, spProvidedId } = nameId;
  const attributes = { NameQualifier: nameQualifier, SPNameQualifier: spNameQualifier, Format: format, SPProvidedID: spProvidedId };
  return writeElement('saml:NameID', { ...SAML_NAMESPACE, ...attributes }, writeText(value));
}

/** In UTC, with milliseconds. @see SLO-3 */
export function writeTime(time: Date): string {
  return time.toISOString();
}
