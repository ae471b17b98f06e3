import type { KeyObject } from 'node:crypto';
import type { FlowReply, LogoutAnswer, VerifiedSamlLogout } from '#coordinator';
import type { LogoutStanding } from '#ledger';
import type { Sql } from '#platform/database';
import type { SamlBinding } from '#protocol/saml';
import type { IdentityProvider, SamlSigning, ServiceProvider } from '#registry';

/** Which identity provider a path names. */
export interface IdpOfPath {
  find(id: string): Promise<IdentityProvider | null>;
}

/** Who bears an entityID, at one identity provider. */
export interface PartyOfEntity {
  find(idpId: string, entityId: string): Promise<{ kind: 'sp'; sp: ServiceProvider } | { kind: 'idp'; idp: IdentityProvider } | null>;
}

export interface SpById {
  find(id: string): Promise<ServiceProvider | null>;
}

/** With what we sign and decrypt. */
export interface OurKeys {
  signerFor(idpId: string): Promise<SamlSigning>;
  decryptionKeys(idpId: string): Promise<KeyObject[]>;
}

/** Our own external URLs. @see SLOX-15 */
export interface OurEndpoints {
  of(idpId: string): Record<SamlBinding, string>;
}

/** Takes the ID of a message and ends what the message names, in one transaction. @see SLO-88 */
export interface SamlRequestEnding {
  /** @returns null for a message that has come before. */
  end<Extra>(
    logout: VerifiedSamlLogout,
    within: (sql: Sql, answer: LogoutAnswer) => Promise<Extra>,
  ): Promise<{ answer: LogoutAnswer; extra: Extra } | null>;
}

/** Browsers on their way through a logout. */
export interface BrowserFlows {
  start(sql: Sql, flow: { idpId: string; logoutId: string | null; reply: FlowReply | null }): Promise<{ token: string }>;
  takeAnswer(
    answer: { idpId: string; spId: string; inResponseTo: string },
    result: { result: 'confirmed' | 'partial' | 'refused' | 'failed'; error?: string },
  ): Promise<boolean>;
}

/** How far a logout has come. */
export type ReadStanding = (logoutId: string) => Promise<LogoutStanding | null>;
