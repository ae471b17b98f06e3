import type { Statement } from '#platform/database';
import { readCertificate } from './certificates/certificate-facts.js';
import type { SamlKeyUse } from './certificates/key-material.js';

/** A certificate with a private key as it may be shown. */
export interface SamlKeyInfo {
  /** SHA-256 of the certificate, hexadecimal. */
  fingerprint: string;
  use: SamlKeyUse;
  origin: 'generated' | 'imported';
  /** PEM. */
  certificate: string;
  subject: string;
  notBefore: Date;
  notAfter: Date;
  createdAt: Date;
  signsFrom: Date;
  retiresAt: Date | null;
}

/** A key that is sealed and waits for its transaction. */
export interface PreparedSamlKey extends SamlKeyInfo {
  idpId: string;
  privateSealed: Buffer;
}

/** As it lies in the table saml_keys. */
export interface SamlKeyRow {
  fingerprint: string;
  use: SamlKeyUse;
  certificate: string;
  private_sealed: Buffer;
  origin: 'generated' | 'imported';
  created_at: Date;
  signs_from: Date;
  retires_at: Date | null;
}

/** The key that signs now, and as whom; one row for an identity provider that exists. */
export const SIGNER: Statement = {
  name: 'saml_key_signer',
  text: `SELECT p.saml->'entity'->>'entityId' AS entity_id, p.saml->>'participantEntityId' AS participant_entity_id,
      k.fingerprint, k.certificate, k.private_sealed
    FROM identity_providers p
    LEFT JOIN LATERAL (
      SELECT fingerprint, certificate, private_sealed FROM saml_keys
      WHERE idp_id = p.id AND use = 'signing' AND signs_from <= $2 AND (retires_at IS NULL OR retires_at > $2)
      ORDER BY signs_from DESC, created_at DESC, fingerprint LIMIT 1
    ) k ON true
    WHERE p.id = $1`,
};

/** Signing before encryption, the newest first. */
export const ALL: Statement = {
  name: 'saml_keys_all',
  text: `SELECT fingerprint, use, certificate, private_sealed, origin, created_at, signs_from, retires_at
    FROM saml_keys WHERE idp_id = $1 AND (retires_at IS NULL OR retires_at > $2)
    ORDER BY use DESC, signs_from DESC, created_at DESC, fingerprint`,
};

export const INSERT: Statement = {
  name: 'saml_key_insert',
  text: `INSERT INTO saml_keys (idp_id, fingerprint, use, certificate, private_sealed, origin, created_at, signs_from, retires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
};

/** What may be shown of a row: nothing sealed. */
export function infoOf(row: SamlKeyRow): SamlKeyInfo {
  const { subject, notBefore, notAfter } = readCertificate(row.certificate);
  return {
    fingerprint: row.fingerprint,
    use: row.use,
    origin: row.origin,
    certificate: row.certificate,
    subject,
    notBefore,
    notAfter,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    retiresAt: row.retires_at,
  };
}
