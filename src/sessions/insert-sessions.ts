import { emailKey, nameIdKey } from '#domain';
import type { Sql, Statement } from '#platform/database';
import type { Session } from './session.js';

const INSERT: Statement = {
  name: 'insert-sessions',
  text: `INSERT INTO sessions (graph_id, id, idp_id, sp_id, layer, sid, sub, email, name_id, name_id_key, session_index, token_sid, token_sub,
    state, started_at, touched_at, expires_at, idle_timeout_s, ended_at, ended_by)
  SELECT graph_id, id, idp_id, sp_id, layer, sid, sub, email, name_id, name_id_key, session_index, token_sid, token_sub,
    state, started_at, touched_at, expires_at, idle_timeout_s, ended_at, ended_by
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::int[],
    $19::timestamptz[], $20::uuid[])
    AS n(graph_id, id, idp_id, sp_id, layer, sid, sub, email, name_id, name_id_key, session_index, token_sid, token_sub,
    state, started_at, touched_at, expires_at, idle_timeout_s, ended_at, ended_by)
  ON CONFLICT (idp_id, sid) WHERE layer = 'idp' AND sid IS NOT NULL DO NOTHING
  RETURNING id`,
};

/**
 * Writes sessions with one statement.
 * @returns the ids that were written; a root whose (`idp`, `sid`) is taken is left out, and its caller looks again.
 */
export async function insertSessions(sql: Sql, sessions: readonly Session[]): Promise<Set<string>> {
  if (sessions.length === 0) return new Set();
  const column = <Value>(value: (session: Session) => Value): Value[] => sessions.map(value);
  const rows = await sql.query<{ id: string }>(INSERT, [
    column((s) => s.graphId),
    column((s) => s.id),
    column((s) => s.idpId),
    column((s) => s.spId),
    column((s) => s.layer),
    column((s) => s.sid),
    column((s) => s.sub),
    column((s) => (s.email === null ? null : emailKey(s.email))),
    column((s) => (s.nameId === null ? null : JSON.stringify(s.nameId))),
    column((s) => (s.nameId === null ? null : nameIdKey(s.nameId))),
    column((s) => s.sessionIndex),
    column((s) => s.tokenSid),
    column((s) => s.tokenSub),
    column((s) => s.state),
    column((s) => s.startedAt),
    column((s) => s.touchedAt),
    column((s) => s.expiresAt),
    column((s) => s.idleTimeoutSeconds),
    column((s) => s.endedAt),
    column((s) => s.endedBy),
  ]);
  return new Set(rows.map((row) => row.id));
}

/** "child ends with parent". */
export interface Edge {
  parent: Pick<Session, 'graphId' | 'id'>;
  child: Pick<Session, 'graphId' | 'id'>;
}

const INSERT_EDGES: Statement = {
  name: 'insert-edges',
  text: `INSERT INTO session_edges (graph_id, parent_id, child_id, child_graph_id)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) ON CONFLICT DO NOTHING`,
};

export async function insertEdges(sql: Sql, edges: readonly Edge[]): Promise<void> {
  if (edges.length === 0) return;
  await sql.query(INSERT_EDGES, [
    edges.map((e) => e.parent.graphId),
    edges.map((e) => e.parent.id),
    edges.map((e) => e.child.id),
    edges.map((e) => e.child.graphId),
  ]);
}
