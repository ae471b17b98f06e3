import { type Cause, type Clock } from '#domain';
import { buildLogoutRequest, findEncryptionKey, REASON, UnbuildableMessage } from '#protocol/saml';
import type { SamlEncryptionKey, SamlSigner } from '#protocol/saml';
import type { SamlStep } from '#registry';
import type { Message } from './channel.js';

/** As whom and with what key a LogoutRequest to an SP is signed. */
export interface SamlSigning {
  /** The identity provider's: the SP knows no other. @see SLO-4 */
  entityId: string;
  signer: SamlSigner;
}

/** Who signs for an IdP. Asked for each attempt: it answers from memory. */
export interface SamlSigners {
  /** @throws when there is no such key: that is a fault of ours, not of the SP. */
  signerFor(idpId: string): Promise<SamlSigning>;
}

/** The `saml` part of the configuration, as far as it is about requests. */
export interface SamlRequestSettings {
  /** How long a request may be acted upon. Seconds. @see SLO-5 */
  requestLifetimeSeconds: number;
}

export interface LogoutRequestFor {
  id: string;
  issuer: string;
  /** The endpoint that it goes to. @see SLO-9 */
  destination: string;
  now: Date;
  lifetimeSeconds: number;
  /** No answer is asked for. @see ASLO-2 */
  asynchronous?: boolean;
}

/**
 * The LogoutRequest that tells an SP what a message says, not signed yet; or why there can be none.
 * @see SLO-1 to SLO-11
 */
export function buildSamlLogoutRequest(message: Message<SamlStep>, how: LogoutRequestFor): { xml: string } | { unusable: string } {
  const { saml: subject, channel } = message;
  const fault = faultOf(channel, how);
  if (fault !== null) return { unusable: fault };
  if (subject === null) {
    return {
      unusable: 'a LogoutRequest needs a NameID, and the session has none: send handles.nameId with session.started or session.joined',
    };
  }
  const encryptTo = encryptionOf(channel);
  if (encryptTo !== null && 'unusable' in encryptTo) return encryptTo;
  try {
    const xml = buildLogoutRequest({
      id: how.id,
      issuer: how.issuer,
      destination: how.destination,
      issueInstant: how.now,
      notOnOrAfter: new Date(how.now.getTime() + how.lifetimeSeconds * 1_000),
      reason: reasonOf(subject.cause),
      nameId: subject.nameId,
      sessionIndexes: subject.sessionIndexes,
      asynchronous: how.asynchronous ?? false,
      ...(encryptTo === null ? {} : { encryptTo: encryptTo.key }),
    });
    return { xml };
  } catch (error) {
    if (error instanceof UnbuildableMessage) return { unusable: `the LogoutRequest cannot be written: ${error.description}` };
    throw error;
  }
}

function faultOf({ entity }: SamlStep, { destination, now }: LogoutRequestFor): string | null {
  if (entity.validUntil !== null && Date.parse(entity.validUntil) <= now.getTime()) {
    return `the metadata of ${entity.entityId} was valid until ${entity.validUntil} and must not be used any more: import it anew`;
  }
  // It becomes the target of a form or of a redirect.
  if (!/^https?:\/\//i.test(destination) || !URL.canParse(destination)) {
    return `the metadata of ${entity.entityId} names ${destination.slice(0, 100)} for single logout; wanted is a URL that begins with https:// or http://`;
  }
  return null;
}

function encryptionOf({ config, entity }: SamlStep): { key: SamlEncryptionKey } | { unusable: string } | null {
  if (!config.encryptNameId) return null;
  const found = findEncryptionKey(entity.encryptionKeys);
  if ('key' in found) return found;
  return { unusable: `encryptNameId is set, and ${entity.entityId} has no key that may be used for it: ${found.unusable}` };
}

/** @see SLO-6 */
function reasonOf(cause: Cause): string | undefined {
  switch (cause) {
    case 'user':
      return REASON.user;
    case 'idle':
    case 'absolute':
      return REASON.globalTimeout;
    case 'admin':
    case 'concurrency':
    case 'credential-change':
    case 'risk':
    case 'account-disabled':
    case 'account-deleted':
    case 'idp-gone':
    case 'sp-deregistered':
    case 'incident':
      return REASON.admin;
    case 'unspecified':
      return undefined;
  }
}

/** What both kinds of channel are made of. */
export interface SamlChannelParts<Settings extends SamlRequestSettings = SamlRequestSettings> {
  signers: SamlSigners;
  clock: Clock;
  settings: Settings;
}
