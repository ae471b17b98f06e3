import type { MigrationInterface, QueryRunner } from 'typeorm';

const REGISTRY = `
CREATE TABLE identity_providers (
  id text PRIMARY KEY,
  name text NOT NULL,
  oidc jsonb,
  saml jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE service_providers (
  id text PRIMARY KEY,
  idp_id text NOT NULL REFERENCES identity_providers (id),
  name text NOT NULL,
  layer text NOT NULL CHECK (layer IN ('sp', 'gateway')),
  channels jsonb NOT NULL,
  post_logout_redirect_uris jsonb NOT NULL DEFAULT '[]',
  timeout_ms integer,
  max_concurrency integer,
  max_per_second integer,
  may_end_root boolean NOT NULL DEFAULT true,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX service_providers_idp ON service_providers (idp_id, id);

-- A key is 256 random bits, so a plain SHA-256 of it is as good as a slow hash, and a look-up costs nothing.
CREATE TABLE api_keys (
  id text PRIMARY KEY,
  hash bytea NOT NULL UNIQUE,
  scope text NOT NULL CHECK (scope IN ('admin', 'idp', 'sp')),
  idp_id text REFERENCES identity_providers (id) ON DELETE CASCADE,
  sp_id text REFERENCES service_providers (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  CHECK ((scope = 'idp') = (idp_id IS NOT NULL) AND (scope = 'sp') = (sp_id IS NOT NULL))
);
CREATE INDEX api_keys_idp ON api_keys (idp_id) WHERE idp_id IS NOT NULL;
CREATE INDEX api_keys_sp ON api_keys (sp_id) WHERE sp_id IS NOT NULL;

CREATE TABLE logout_keys (
  -- Unique per IdP only: many providers call their first key "1".
  kid text NOT NULL,
  idp_id text NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  use text NOT NULL CHECK (use IN ('sig', 'enc')),
  alg text NOT NULL,
  public_jwk jsonb NOT NULL,
  private_sealed bytea NOT NULL,
  origin text NOT NULL CHECK (origin IN ('generated', 'imported')),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Published from created_at on, used from signs_from on, unpublished at retires_at.
  signs_from timestamptz NOT NULL DEFAULT now(),
  retires_at timestamptz,
  PRIMARY KEY (idp_id, kid)
);
CREATE INDEX logout_keys_idp ON logout_keys (idp_id, use, alg);
`;

const SESSIONS = `
CREATE TABLE sessions (
  graph_id uuid NOT NULL,
  id uuid NOT NULL,
  idp_id text NOT NULL,
  sp_id text,
  layer text NOT NULL CHECK (layer IN ('idp', 'gateway', 'sp')),
  sid text,
  sub text,
  email text,
  name_id jsonb,
  name_id_key text,
  session_index text,
  -- What the SP knows the session by: its own handles, else those of the session it hangs on.
  token_sid text,
  token_sub text,
  state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'ended')),
  started_at timestamptz NOT NULL,
  touched_at timestamptz NOT NULL,
  expires_at timestamptz,
  idle_timeout_s integer,
  ended_at timestamptz,
  ended_by uuid,
  PRIMARY KEY (graph_id, id)
) WITH (fillfactor = 90);
CREATE INDEX sessions_id ON sessions (id);
-- One root a sid: a login and a logout that race for a sid nobody knows yet meet here.
CREATE UNIQUE INDEX sessions_root_sid ON sessions (idp_id, sid) WHERE layer = 'idp' AND sid IS NOT NULL;
CREATE INDEX sessions_sid ON sessions (idp_id, sid) WHERE layer <> 'idp' AND sid IS NOT NULL;
CREATE INDEX sessions_sub ON sessions (idp_id, sub) WHERE sub IS NOT NULL;
CREATE INDEX sessions_email ON sessions (idp_id, email) WHERE email IS NOT NULL;
CREATE INDEX sessions_name_id ON sessions (idp_id, name_id_key) WHERE name_id_key IS NOT NULL;
CREATE INDEX sessions_session_index ON sessions (idp_id, session_index) WHERE session_index IS NOT NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE state = 'ended';

-- "child ends with parent". The row lies with the parent's graph, for that is the way a logout walks.
CREATE TABLE session_edges (
  graph_id uuid NOT NULL,
  parent_id uuid NOT NULL,
  child_id uuid NOT NULL,
  child_graph_id uuid NOT NULL,
  PRIMARY KEY (graph_id, parent_id, child_id)
);
CREATE INDEX session_edges_child ON session_edges (child_id);

-- Event ids that were taken, per IdP: what makes an event that comes twice a duplicate.
CREATE TABLE intake_events (
  idp_id text NOT NULL,
  event_id text NOT NULL,
  status text NOT NULL,
  session_id uuid,
  logout_id uuid,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (idp_id, event_id)
);
CREATE INDEX intake_events_received ON intake_events USING brin (received_at);

-- Token ids that were seen, per IdP. @see BCL-42
CREATE TABLE seen_tokens (
  idp_id text NOT NULL,
  jti text NOT NULL,
  forget_at timestamptz NOT NULL,
  PRIMARY KEY (idp_id, jti)
);
CREATE INDEX seen_tokens_forget ON seen_tokens (forget_at);
`;

const LEDGER = `
CREATE TABLE logouts (
  id uuid PRIMARY KEY,
  graph_id uuid NOT NULL,
  idp_id text NOT NULL,
  cause text NOT NULL,
  initiator text NOT NULL,
  scope text NOT NULL,
  reason text,
  target jsonb NOT NULL,
  follows uuid,
  requested_at timestamptz NOT NULL,
  deadline_at timestamptz NOT NULL,
  completed_at timestamptz,
  verdict text NOT NULL,
  sessions integer NOT NULL,
  deliveries integer NOT NULL,
  open integer NOT NULL,
  proven integer NOT NULL DEFAULT 0,
  promised integer NOT NULL DEFAULT 0,
  unproven integer NOT NULL DEFAULT 0,
  partial integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  -- When the sweeper looks next; only a hint, moved by the sweeper alone.
  sweep_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX logouts_sweep ON logouts (sweep_at) WHERE completed_at IS NULL;
CREATE INDEX logouts_idp ON logouts (idp_id, id);
CREATE INDEX logouts_verdict ON logouts (verdict, id);
CREATE INDEX logouts_requested ON logouts (requested_at);

CREATE TABLE deliveries (
  logout_id uuid NOT NULL,
  n integer NOT NULL,
  graph_id uuid NOT NULL,
  idp_id text NOT NULL,
  sp_id text NOT NULL,
  session_id uuid NOT NULL,
  -- Further sessions that this one message ends, where the SP is told once a user.
  also_sessions uuid[],
  layer text NOT NULL,
  token_sid text,
  token_sub text,
  channel_index smallint NOT NULL DEFAULT 0,
  channel text,
  outcome text NOT NULL,
  detail text,
  attempts integer NOT NULL DEFAULT 0,
  tries_on_channel integer NOT NULL DEFAULT 0,
  requested_at timestamptz NOT NULL,
  next_attempt_at timestamptz,
  lease_until timestamptz,
  deadline_at timestamptz NOT NULL,
  session_expires_at timestamptz,
  settled_at timestamptz,
  exposure_ms bigint,
  PRIMARY KEY (logout_id, n)
) WITH (fillfactor = 60);
CREATE INDEX deliveries_session ON deliveries (session_id);
CREATE INDEX deliveries_sp ON deliveries (sp_id, logout_id);

CREATE TABLE attempts (
  logout_id uuid NOT NULL,
  delivery_n integer NOT NULL,
  n integer NOT NULL,
  channel text NOT NULL,
  started_at timestamptz NOT NULL,
  duration_ms integer,
  result text,
  http_status integer,
  jti text,
  error text,
  PRIMARY KEY (logout_id, delivery_n, n, started_at)
) PARTITION BY RANGE (started_at);
-- Catches what has no partition of its own yet; never wanted, never lost.
CREATE TABLE attempts_default PARTITION OF attempts DEFAULT;

-- Roll-ups: what the completion report reads. Deltas are appended in the transaction that settles, and folded later,
-- so that no two workers ever wait for the same row.
CREATE TABLE report_logouts (
  hour timestamptz NOT NULL, idp_id text NOT NULL, cause text NOT NULL, verdict text NOT NULL, bucket smallint NOT NULL,
  n bigint NOT NULL, ms_sum bigint NOT NULL,
  PRIMARY KEY (hour, idp_id, cause, verdict, bucket)
);
CREATE TABLE report_logout_deltas (LIKE report_logouts);
CREATE TABLE report_deliveries (
  hour timestamptz NOT NULL, idp_id text NOT NULL, sp_id text NOT NULL, channel text NOT NULL, cause text NOT NULL, outcome text NOT NULL,
  bucket smallint NOT NULL,
  n bigint NOT NULL, exposure_ms_sum bigint NOT NULL,
  PRIMARY KEY (hour, idp_id, sp_id, channel, cause, outcome, bucket)
);
CREATE TABLE report_delivery_deltas (LIKE report_deliveries);
`;

const TABLES = [
  'report_delivery_deltas',
  'report_deliveries',
  'report_logout_deltas',
  'report_logouts',
  'attempts',
  'deliveries',
  'logouts',
  'seen_tokens',
  'intake_events',
  'session_edges',
  'sessions',
  'logout_keys',
  'api_keys',
  'service_providers',
  'identity_providers',
];

/** Everything that the main job stands on: registry, session graph, ledger, roll-ups. */
export class Foundation1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(REGISTRY);
    await runner.query(SESSIONS);
    await runner.query(LEDGER);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
  }
}
