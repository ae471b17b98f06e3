import type { JSONWebKeySet } from 'jose';
import type { Layer } from '#domain';
import type { SamlBinding, SamlEntity } from '#protocol/saml';

/** Algorithms a client may have registered as `id_token_signed_response_alg`. `none` is not among them. @see BCL-22 */
export const SIGNING_ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type SigningAlg = (typeof SIGNING_ALGS)[number];

export const KEY_MANAGEMENT_ALGS = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const;
export const CONTENT_ENCRYPTION_ALGS = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const;

/** Nested encryption of the logout token for a client. @see BCL-24 */
export interface TokenEncryption {
  alg: (typeof KEY_MANAGEMENT_ALGS)[number];
  enc: (typeof CONTENT_ENCRYPTION_ALGS)[number];
  /** The client's public keys, or where they are. */
  jwks?: JSONWebKeySet;
  jwksUri?: string;
}

/** The SP is told by OIDC back-channel logout. @see BCL-3 */
export interface OidcBackchannelConfig {
  type: 'oidc-backchannel';
  clientId: string;
  uri: string;
  /** The SP needs `sid`; without one the channel is unusable. @see BCL-5 */
  sessionRequired: boolean;
  /** @see BCL-23 */
  signingAlg: SigningAlg;
  /** `session`: a message a session, with `sid` and `sub`. `user`: one message a user, with `sub` only. @see BCL-17 */
  tell: 'session' | 'user';
  encryption?: TokenEncryption;
}

/** The SP is told by SAML single logout, over whichever binding it offers. At most one of these an SP. @see SLO-70 to SLO-75 */
export interface SamlConfig {
  type: 'saml';
  /** In order of preference; those that its metadata has no endpoint for are left out. @see SLO-73 */
  bindings: SamlBinding[];
  /** Where its metadata is fetched from, again and again; absent: it was uploaded. */
  metadataUrl?: string;
  /** Which entity of an aggregate (EntitiesDescriptor) is meant. */
  entityId?: string;
  /** PEM: the metadata must be signed with one of these. */
  metadataCertificates?: string[];
  /** The NameID is sent as an EncryptedID; needs an encryption key in its metadata. @see SLO-11 */
  encryptNameId: boolean;
  /** Through the browser it is asked for no answer, where its metadata announces that it can do without: then nothing is known of it. @see ASLO-2, ASLO-4 */
  asynchronous?: boolean;
  /** It may sign with rsa-sha1. Every use is logged. @see SLO-84 */
  allowSha1: boolean;
}

/** Channels that can be registered. */
export type ChannelConfig = OidcBackchannelConfig | SamlConfig;

/** The OIDC side of an identity provider: we sign as it (sender), and we are a client of it (receiver). */
export interface OidcIdentity {
  issuer: string;
  jwksUri?: string;
  jwks?: JSONWebKeySet;
  /** Our client_id at this OP: what its logout tokens to us must have in `aud`. @see BCL-36 */
  audience?: string;
  /** The one algorithm its logout tokens to us must have. @see BCL-35 */
  signingAlg: SigningAlg;
  /** The OP is older than errata set 1. @see BCL-38 */
  allowMissingExp: boolean;
  /** Logout tokens to us are encrypted with keys at `/idps/{id}/rp-jwks.json`; cleartext is refused. @see BCL-33 */
  encryption?: { alg: TokenEncryption['alg']; enc: TokenEncryption['enc'] };
}

/** The SAML side of an identity provider: we answer for it towards its SPs (authority), and take its logouts (participant). */
export interface SamlIdentity {
  /** Of its IDPSSODescriptor. `entityId` is the Issuer of what we send to its SPs. */
  entity: SamlEntity;
  metadataUrl?: string;
  /** Which entity of an aggregate is meant. */
  entityId?: string;
  metadataCertificates?: string[];
  /** Our entityID as an SP of this IdP: the Issuer of what we answer to it. */
  participantEntityId: string;
  allowSha1: boolean;
}

export interface IdentityProvider {
  id: string;
  name: string;
  /** At least one of `oidc` and `saml` is there. */
  oidc: OidcIdentity | null;
  saml: SamlIdentity | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface ServiceProvider {
  id: string;
  idp: string;
  name: string;
  layer: Exclude<Layer, 'idp'>;
  /** In order of preference. Empty: it cannot be told, and its deliveries are `skipped`. */
  channels: ChannelConfig[];
  /** What its metadata says; null without a `saml` channel. */
  saml: SamlEntity | null;
  postLogoutRedirectUris: string[];
  timeoutMs: number | null;
  maxConcurrency: number | null;
  maxPerSecond: number | null;
  /** A logout that names a session of this SP may go up to the root. */
  mayEndRoot: boolean;
  enabled: boolean;
  createdAt: Date;
  updatedAt: Date;
}
