import { nameIdKey } from '#domain';
import type { Handles } from '#domain';
import type { Sql, Statement } from '#platform/database';
import { insertSessions } from './insert-sessions.js';
import { newRoot } from './new-root.js';
import { SESSION_COLUMNS } from './session.js';
import type { Session } from './session.js';

/** A login at the identity provider. */
export interface Login {
  idpId: string;
  handles: Handles;
  expiresAt: Date | null;
  idleTimeoutSeconds: number | null;
}

/** What became of an arriving session. */
export type Arrival =
  | { kind: 'accepted'; session: Session }
  /** The graph it belongs to has ended: it must not live. `logoutId` ended it, where one did. */
  | { kind: 'session-ended'; logoutId: string | null; session: Session | null }
  | { kind: 'unknown-parent' }
  | { kind: 'other-subject'; seen: string; known: string };

const FIND_ROOTS: Statement = {
  name: 'find-roots-by-sid',
  text: `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.idp_id = $1 AND s.layer = 'idp' AND s.sid IS NOT NULL AND s.sid = ANY($2::text[])
  ORDER BY s.id FOR UPDATE`,
};

const FIND_ROOTS_BY_NAME: Statement = {
  name: 'find-roots-by-name-id',
  text: `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.idp_id = $1 AND s.name_id_key IS NOT NULL AND s.name_id_key = ANY($2::text[]) AND s.layer = 'idp'
    AND s.sid IS NULL AND s.session_index = ANY($3::text[]) ORDER BY s.id FOR UPDATE`,
};

const REFRESH: Statement = {
  name: 'refresh-roots',
  text: `UPDATE sessions s SET touched_at = $1, expires_at = n.expires_at, idle_timeout_s = n.idle_timeout_s,
    sub = COALESCE(s.sub, n.sub), token_sub = COALESCE(s.token_sub, n.sub), email = COALESCE(s.email, n.email),
    name_id = COALESCE(s.name_id, n.name_id), name_id_key = COALESCE(s.name_id_key, n.name_id_key),
    session_index = CASE WHEN s.name_id IS NULL THEN n.session_index ELSE s.session_index END
  FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::int[], $6::text[], $7::text[], $8::jsonb[], $9::text[], $10::text[])
    AS n(graph_id, id, expires_at, idle_timeout_s, sub, email, name_id, name_id_key, session_index)
  WHERE s.graph_id = n.graph_id AND s.id = n.id`,
};

/**
 * Starts sessions at one identity provider. A `sid` that lives already is the same session, signed in again: its lifetime is renewed.
 * A `sid` that has ended stays ended. Without a `sid`, NameID and SessionIndex together name the session. @see SLO-24
 */
export async function startSessions(sql: Sql, idpId: string, logins: readonly Login[], now: Date): Promise<Arrival[]> {
  const fresh = logins.map(({ handles, expiresAt, idleTimeoutSeconds }) => ({
    ...newRoot(idpId, handles, now),
    expiresAt,
    idleTimeoutSeconds,
  }));
  const known = await findNamedRoots(sql, idpId, fresh);
  const written = await insertSessions(
    sql,
    fresh.filter((session) => !known.has(rootName(session))),
  );
  const taken = fresh.filter((session) => session.sid !== null && !written.has(session.id)).map((session) => session.sid);
  if (taken.length > 0) {
    for (const session of await sql.query<Session>(FIND_ROOTS, [idpId, taken])) known.set(rootName(session), session);
  }
  const renewed: { session: Session; login: Login }[] = [];
  const arrivals = fresh.map((session, at): Arrival => {
    if (written.has(session.id)) return { kind: 'accepted', session };
    const login = logins[at]!;
    const existing = known.get(rootName(session))!;
    if (existing.state === 'ended') return { kind: 'session-ended', logoutId: existing.endedBy, session: existing };
    if (login.handles.sub && existing.sub && login.handles.sub !== existing.sub) {
      return { kind: 'other-subject', seen: login.handles.sub, known: existing.sub };
    }
    renewed.push({ session: existing, login });
    return { kind: 'accepted', session: existing };
  });
  if (renewed.length > 0) {
    // Of several in one batch the last one holds: an UPDATE would take any one of them.
    const last = [...new Map(renewed.map((renewal) => [renewal.session.id, renewal])).values()];
    await sql.query(REFRESH, [
      now,
      last.map((r) => r.session.graphId),
      last.map((r) => r.session.id),
      last.map((r) => r.login.expiresAt),
      last.map((r) => r.login.idleTimeoutSeconds),
      last.map((r) => r.login.handles.sub ?? null),
      last.map((r) => r.login.handles.email?.toLowerCase() ?? null),
      last.map((r) => (r.login.handles.nameId ? JSON.stringify(r.login.handles.nameId) : null)),
      last.map((r) => (r.login.handles.nameId ? nameIdKey(r.login.handles.nameId) : null)),
      last.map((r) => r.login.handles.sessionIndex ?? null),
    ]);
  }
  return arrivals;
}

/** By what a root is found again: its `sid`, else NameID and SessionIndex; a root without either is a new one each time. */
function rootName({ id, sid, nameId, sessionIndex }: Session): string {
  if (sid !== null) return JSON.stringify([sid]);
  return nameId !== null && sessionIndex !== null ? JSON.stringify([nameIdKey(nameId), sessionIndex]) : id;
}

/** Roots that are there already under a NameID and a SessionIndex; of several with one name, one that lives. */
async function findNamedRoots(sql: Sql, idpId: string, fresh: readonly Session[]): Promise<Map<string, Session>> {
  const named = fresh.filter((session) => session.sid === null && session.nameId !== null && session.sessionIndex !== null);
  const known = new Map<string, Session>();
  if (named.length === 0) return known;
  const keys = [...new Set(named.map((session) => nameIdKey(session.nameId!)))];
  const indexes = [...new Set(named.map((session) => session.sessionIndex))];
  for (const session of await sql.query<Session>(FIND_ROOTS_BY_NAME, [idpId, keys, indexes])) {
    if (known.get(rootName(session))?.state !== 'live') known.set(rootName(session), session);
  }
  return known;
}
