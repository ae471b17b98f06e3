import type { Cause } from './vocabulary.js';

/**
 * A SAML NameID with all its attributes. Two NameIDs name the same person only if all five parts are equal.
 * @see SLO-44
 */
export interface NameId {
  value: string;
  format?: string;
  nameQualifier?: string;
  spNameQualifier?: string;
  spProvidedId?: string;
}

/** What a peer calls a session. Matched per IdP and per protocol, never by bare text. */
export interface Handles {
  /** OIDC `sid`: printable ASCII, unique per issuer only. @see BCL-20 */
  sid?: string;
  /** OIDC `sub`. */
  sub?: string;
  email?: string;
  nameId?: NameId;
  /** SAML SessionIndex. */
  sessionIndex?: string;
}

/** By what a SAML SP knows that which ends, and why it ends: what a LogoutRequest to it is built of. */
export interface SamlSubject {
  /** As it stood in the assertion, with all its attributes. @see SLO-7 */
  nameId: NameId;
  /** Empty: all sessions of the principal at that SP. @see SLO-8 */
  sessionIndexes: string[];
  cause: Cause;
}

/** The one comparable text of a NameID; absent parts differ from empty ones. */
export function nameIdKey(nameId: NameId): string {
  return JSON.stringify([
    nameId.value,
    nameId.format ?? null,
    nameId.nameQualifier ?? null,
    nameId.spNameQualifier ?? null,
    nameId.spProvidedId ?? null,
  ]);
}

/** E-mail addresses are compared without case: the one handle that people type. */
export function emailKey(email: string): string {
  return email.trim().toLowerCase();
}
