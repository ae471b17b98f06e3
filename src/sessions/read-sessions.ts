import { emailKey } from '#domain';
import type { Sql } from '#platform/database';
import { SESSION_COLUMNS } from './session.js';
import type { Session } from './session.js';

/** The whole graph around one session. */
export interface SessionGraph {
  sessions: Session[];
  edges: { parentId: string; childId: string }[];
}

export async function readSession(sql: Sql, id: string): Promise<Session | null> {
  const rows = await sql.query<Session>(`SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.id = $1`, [id]);
  return rows[0] ?? null;
}

/** Everything that is connected with the session, upwards and downwards. UNION ends the walk where a cycle would begin. */
export async function readSessionGraph(sql: Sql, session: Session, limit = 1_000): Promise<SessionGraph> {
  const edges = await sql.query<{ parentId: string; childId: string }>(
    `WITH RECURSIVE linked(id) AS (
       VALUES ($1::uuid)
       UNION
       SELECT CASE WHEN e.child_id = l.id THEN e.parent_id ELSE e.child_id END
       FROM linked l JOIN LATERAL (
         SELECT parent_id, child_id FROM session_edges WHERE child_id = l.id
         UNION ALL
         SELECT e.parent_id, e.child_id FROM sessions s JOIN session_edges e ON e.graph_id = s.graph_id AND e.parent_id = s.id WHERE s.id = l.id
       ) e ON true)
     SELECT DISTINCT e.parent_id AS "parentId", e.child_id AS "childId" FROM linked l JOIN session_edges e ON e.child_id = l.id LIMIT $2`,
    [session.id, limit],
  );
  const ids = [...new Set([session.id, ...edges.flatMap((edge) => [edge.parentId, edge.childId])])];
  const sessions = await sql.query<Session>(`SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.id = ANY($1::uuid[]) ORDER BY s.id`, [ids]);
  return { sessions, edges };
}

export interface SessionFilter {
  idp?: string;
  sp?: string;
  state?: 'live' | 'ended';
  sid?: string;
  sub?: string;
  email?: string;
  sessionIndex?: string;
  /** Only sessions older than this one: the last of the page before. */
  before?: string;
  limit: number;
}

/** Newest first. Handles are looked up per IdP, so that each look-up is one step down an index. */
export async function listSessions(sql: Sql, filter: SessionFilter): Promise<Session[]> {
  const params: unknown[] = [];
  const use = (value: unknown): string => `$${params.push(value)}`;
  const where: string[] = [];
  const idps = filter.idp === undefined ? 'SELECT id FROM identity_providers' : `SELECT ${use(filter.idp)}::text`;
  if (filter.sid !== undefined) where.push(`s.idp_id IN (${idps}) AND s.sid = ${use(filter.sid)}`);
  if (filter.sub !== undefined) where.push(`s.idp_id IN (${idps}) AND s.sub = ${use(filter.sub)}`);
  if (filter.email !== undefined) where.push(`s.idp_id IN (${idps}) AND s.email = ${use(emailKey(filter.email))}`);
  if (filter.sessionIndex !== undefined) where.push(`s.idp_id IN (${idps}) AND s.session_index = ${use(filter.sessionIndex)}`);
  if (where.length === 0 && filter.idp !== undefined) where.push(`s.idp_id = ${use(filter.idp)}`);
  if (filter.sp !== undefined) where.push(`s.sp_id = ${use(filter.sp)}`);
  if (filter.state !== undefined) where.push(`s.state = ${use(filter.state)}`);
  if (filter.before !== undefined) where.push(`s.id < ${use(filter.before)}::uuid`);
  return sql.query<Session>(
    `SELECT ${SESSION_COLUMNS} FROM sessions s ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''} ORDER BY s.id DESC LIMIT ${use(filter.limit)}`,
    params,
  );
}
