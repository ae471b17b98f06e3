import type { MigrationInterface, QueryRunner } from 'typeorm';

const REGISTRY = `
-- What its metadata says of logout (SamlEntity); null for an SP without a saml channel. The document itself lies in saml_metadata.
ALTER TABLE service_providers ADD COLUMN saml jsonb;

-- Metadata as it came, one a party: an SP, or (sp_id null) the IdP itself.
CREATE TABLE saml_metadata (
  idp_id text NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  sp_id text REFERENCES service_providers (id) ON DELETE CASCADE,
  entity_id text NOT NULL,
  -- The EntityDescriptor alone, also where it came in an aggregate.
  xml text NOT NULL,
  url text,
  etag text,
  fetched_at timestamptz NOT NULL,
  -- Null: it was uploaded and is not fetched.
  refresh_at timestamptz,
  refresh_failures integer NOT NULL DEFAULT 0,
  refresh_error text,
  UNIQUE NULLS NOT DISTINCT (idp_id, sp_id)
);
-- An entityID means one party to an IdP.
CREATE UNIQUE INDEX saml_metadata_entity ON saml_metadata (idp_id, entity_id);
CREATE INDEX saml_metadata_refresh ON saml_metadata (refresh_at) WHERE refresh_at IS NOT NULL;

CREATE TABLE saml_keys (
  idp_id text NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  -- SHA-256 of the certificate, hexadecimal.
  fingerprint text NOT NULL,
  use text NOT NULL CHECK (use IN ('signing', 'encryption')),
  certificate text NOT NULL,
  private_sealed bytea NOT NULL,
  origin text NOT NULL CHECK (origin IN ('generated', 'imported')),
  created_at timestamptz NOT NULL,
  -- Published from created_at on, used from signs_from on, unpublished at retires_at.
  signs_from timestamptz NOT NULL,
  retires_at timestamptz,
  PRIMARY KEY (idp_id, fingerprint)
);
`;

const LEDGER = `
-- By what a SAML SP knows what it is told of: {nameId, sessionIndexes, cause}; null where no channel of the SP is SAML.
ALTER TABLE deliveries ADD COLUMN saml jsonb;

-- LogoutRequests that went out with a person's browser: their answers come on another connection, if they come.
CREATE TABLE saml_requests (
  -- The ID of the message.
  id text PRIMARY KEY,
  idp_id text NOT NULL,
  sp_id text NOT NULL,
  logout_id uuid NOT NULL,
  delivery_n integer NOT NULL,
  attempt integer NOT NULL,
  started_at timestamptz NOT NULL,
  flow_id uuid NOT NULL,
  answered_at timestamptz,
  forget_at timestamptz NOT NULL
);
CREATE INDEX saml_requests_forget ON saml_requests (forget_at);
CREATE INDEX saml_requests_flow ON saml_requests (flow_id, delivery_n);
`;

const INTAKE = `
-- Message ids that were seen, per IdP and issuer. @see SLO-88
CREATE TABLE seen_messages (
  idp_id text NOT NULL,
  issuer text NOT NULL,
  message_id text NOT NULL,
  forget_at timestamptz NOT NULL,
  PRIMARY KEY (idp_id, issuer, message_id)
);
CREATE INDEX seen_messages_forget ON seen_messages (forget_at);

-- Logouts that named a session which nobody knew: it is ended when it comes. @see SLO-24
CREATE TABLE saml_tombstones (
  id uuid PRIMARY KEY,
  idp_id text NOT NULL,
  name_id_key text NOT NULL,
  -- Null: every session of the principal.
  session_index text,
  -- Null: the IdP itself said so; else only sessions at this SP are meant.
  sp_id text,
  buried_at timestamptz NOT NULL,
  forget_at timestamptz NOT NULL
);
CREATE INDEX saml_tombstones_name_id ON saml_tombstones (idp_id, name_id_key);
CREATE INDEX saml_tombstones_forget ON saml_tombstones (forget_at);

-- A person's browser on its way through a logout: what is left to be told through it, and where it goes at the end.
CREATE TABLE browser_flows (
  id uuid PRIMARY KEY,
  -- SHA-256 of the secret in its URL.
  token_hash bytea NOT NULL UNIQUE,
  idp_id text NOT NULL,
  -- Null: there was nothing to end.
  logout_id uuid,
  -- Who is owed an answer, and how; null: nobody.
  reply jsonb,
  started_at timestamptz NOT NULL,
  -- The initiator is answered by then, whatever is open.
  answer_by timestamptz NOT NULL,
  answered_at timestamptz,
  forget_at timestamptz NOT NULL
);
CREATE INDEX browser_flows_forget ON browser_flows (forget_at);
CREATE INDEX browser_flows_logout ON browser_flows (logout_id);
`;

const TABLES = ['browser_flows', 'saml_tombstones', 'seen_messages', 'saml_requests', 'saml_keys', 'saml_metadata'];

/** SAML: parties and their metadata, our certificates, what is asked of SPs and seen of them, and browsers on their way. */
export class Saml1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(REGISTRY);
    await runner.query(LEDGER);
    await runner.query(INTAKE);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
    await runner.query('ALTER TABLE deliveries DROP COLUMN saml');
    await runner.query('ALTER TABLE service_providers DROP COLUMN saml');
  }
}
