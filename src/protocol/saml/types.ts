import type { KeyObject } from 'node:crypto';
import type { NameId } from '#domain';

/** How a message travels. Redirect and POST go through the person's browser, SOAP does not. */
export const SAML_BINDINGS = ['soap', 'redirect', 'post'] as const;
export type SamlBinding = (typeof SAML_BINDINGS)[number];

export type SamlMessageKind = 'request' | 'response';

/** A message as it came, decoded and within its limits, before anything in it is believed. */
export interface IncomingMessage {
  binding: SamlBinding;
  /** By the parameter's name (Redirect, POST) or the root element (SOAP). */
  kind: SamlMessageKind;
  /** The XML of the message itself; of SOAP the single child of the Body, as it stands in the envelope. */
  xml: string;
  /** As it came; not trusted. @see SLO-53 */
  relayState: string | null;
  /** Redirect only: the octets that the signature is over, its algorithm and its value. @see SLO-43, SLO-44 */
  querySignature: { signedOctets: string; sigAlg: string; signature: Buffer } | null;
}

/** What a message says of itself: good only for finding whose keys to try. */
export interface ClaimedSender {
  id: string;
  issuer: string;
  inResponseTo: string | null;
}

/** What a message must be to be believed. */
export interface MessageExpectation {
  /** entityID of the party whose certificates these are. @see SLO-4 */
  issuer: string;
  /** Its signing certificates (PEM), each is tried. Only those of registered metadata. @see SLO-74, SLO-75 */
  certificates: readonly string[];
  /** Our own external URLs at which it may have arrived; not looked at for an answer over SOAP. @see SLO-9, SLOX-15 */
  destinations: readonly string[];
  /** Legacy peers only. @see SLO-84 */
  allowSha1: boolean;
  /** Our private keys for an EncryptedID; empty: none is accepted. @see SLO-11, SLO-85 */
  decryptionKeys: readonly KeyObject[];
  now: Date;
  /** How old an IssueInstant may be. Seconds. @see SLO-88 */
  maxAgeSeconds: number;
  /** How far clocks may differ. Seconds. */
  skewSeconds: number;
}

/** A LogoutRequest of which every check has been passed; read from the verified octets alone. @see SLO-86 */
export interface VerifiedLogoutRequest {
  kind: 'request';
  binding: SamlBinding;
  id: string;
  issuer: string;
  issueInstant: Date;
  notOnOrAfter: Date | null;
  /** A URN, or whatever the peer wrote. @see SLO-6 */
  reason: string | null;
  nameId: NameId;
  /** Empty: all sessions of the principal. @see SLO-23 */
  sessionIndexes: string[];
  /** It neither expects nor needs an answer. @see ASLO-2 */
  asynchronous: boolean;
  relayState: string | null;
  /** Until when its ID must be remembered. @see SLO-88 */
  forgetAt: Date;
}

/** @see SLO-16 */
export interface SamlStatus {
  /** The last part of the top-level URN, or the whole URI when it is not one of SAML's. */
  code: string;
  /** The last part of the second-level URN, if any. */
  subCode: string | null;
  message: string | null;
}

/** A LogoutResponse of which every check has been passed, but for its InResponseTo, which the caller knows. */
export interface VerifiedLogoutResponse {
  kind: 'response';
  binding: SamlBinding;
  id: string;
  issuer: string;
  issueInstant: Date;
  /** @see SLO-13 */
  inResponseTo: string | null;
  status: SamlStatus;
  relayState: string | null;
}

/** Algorithms that we sign with. @see SLO-83 */
export type SamlSignatureAlgorithm = 'rsa-sha256' | 'ecdsa-sha256';

/** What a message is signed with. */
export interface SamlSigner {
  privateKey: KeyObject;
  /** PEM. */
  certificate: string;
  algorithm: SamlSignatureAlgorithm;
}

/** A SingleLogoutService of a peer's metadata. @see SLO-70, SLO-72 */
export interface SamlEndpoint {
  binding: SamlBinding;
  location: string;
  /** Where answers go, when not to `location`. */
  responseLocation?: string;
  /** @see ASLO-4 */
  supportsAsynchronous?: boolean;
}

/** A key that a peer wants things encrypted to. @see SLO-74, SLO-85 */
export interface SamlEncryptionKey {
  /** PEM. */
  certificate: string;
  /** EncryptionMethod algorithms of its KeyDescriptor, as URIs; empty when it names none. */
  methods: string[];
}

/** What a peer's metadata says, in one role, of all that logout needs. Plain JSON: it is kept in the database. */
export interface SamlEntity {
  entityId: string;
  /** In document order. Empty: it cannot be told by SAML. @see SLO-73 */
  singleLogoutServices: SamlEndpoint[];
  /** PEM, in document order. @see SLO-74 */
  signingCertificates: string[];
  encryptionKeys: SamlEncryptionKey[];
  /** ISO 8601; the earliest of the element and those around it. After it the metadata must not be used. @see SLO-75 */
  validUntil: string | null;
}
