import { newId } from '#domain';
import type { Handles, Layer } from '#domain';
import type { Sql, Statement } from '#platform/database';
import { insertEdges, insertSessions } from './insert-sessions.js';
import type { Edge } from './insert-sessions.js';
import { SESSION_COLUMNS } from './session.js';
import type { ParentReference, Session } from './session.js';
import type { Arrival } from './start-sessions.js';

/** A session that began at a gateway or an application and hangs on another one. */
export interface Joining {
  parent: ParentReference;
  spId: string;
  layer: Exclude<Layer, 'idp'>;
  handles: Handles;
  expiresAt: Date | null;
  idleTimeoutSeconds: number | null;
}

// FOR KEY SHARE against the FOR UPDATE of an ending (end-sessions.ts): either the ending waits for this join and then finds the
// new child, or this join waits for the ending and then reads `ended`. Touches do not wait for either.
const FIND: Statement = {
  name: 'find-sessions-to-join',
  text: `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.id IN (
    SELECT id FROM sessions WHERE idp_id = $1 AND layer = 'idp' AND sid IS NOT NULL AND sid = ANY($2::text[])
    UNION SELECT id FROM sessions WHERE idp_id = $1 AND layer <> 'idp' AND sid IS NOT NULL AND sid = ANY($2::text[])
    UNION SELECT id FROM sessions WHERE idp_id = $1 AND session_index IS NOT NULL AND session_index = ANY($3::text[])
    UNION SELECT id FROM sessions WHERE id = ANY($4::uuid[]) AND idp_id = $1)
  ORDER BY s.id FOR KEY SHARE`,
};

/**
 * Joins sessions to the graphs they hang on. The same session of the same SP that joins again (under the same `sid` or SessionIndex) is one
 * session with several parents; an edge that would close a cycle is left out. A session that joins what has ended is written as ended,
 * so that its logout can be sent.
 */
export async function joinSessions(sql: Sql, idpId: string, joinings: readonly Joining[], now: Date): Promise<Arrival[]> {
  const known = await findKnown(sql, idpId, joinings);
  const fresh: Session[] = [];
  const edges: Edge[] = [];
  const arrivals: Arrival[] = [];
  for (const joining of joinings) {
    const parents = parentsOf(joining.parent, known);
    if (parents.length === 0) {
      arrivals.push({ kind: 'unknown-parent' });
      continue;
    }
    const dead = parents.find((parent) => parent.state === 'ended');
    let child = known.find((session) => session.state === 'live' && isSameSession(session, joining));
    if (child === undefined) {
      child = childOf(joining, parents[0]!, now);
      fresh.push(child);
      known.push(child);
      for (const parent of parents) edges.push({ parent, child });
    } else {
      for (const parent of parents) if (!(await hangsOn(sql, parent, child))) edges.push({ parent, child });
    }
    arrivals.push(dead ? { kind: 'session-ended', logoutId: dead.endedBy, session: child } : { kind: 'accepted', session: child });
  }
  await insertSessions(sql, fresh);
  await insertEdges(sql, edges);
  return arrivals;
}

async function findKnown(sql: Sql, idpId: string, joinings: readonly Joining[]): Promise<Session[]> {
  const wanted = joinings.flatMap((joining): ParentReference[] => [joining.parent, joining.handles]);
  const distinct = (values: (string | undefined)[]): string[] => [...new Set(values.filter((value) => value !== undefined))];
  return sql.query<Session>(FIND, [
    idpId,
    distinct(wanted.map((reference) => reference.sid)),
    distinct(wanted.map((reference) => reference.sessionIndex)),
    distinct(joinings.map((joining) => joining.parent.sessionId)),
  ]);
}

const RANK: Record<Layer, number> = { idp: 0, gateway: 1, sp: 2 };

/** All that bear the name, of the topmost layer that has any: an SP session often bears the `sid` of the session above it. */
function parentsOf(reference: ParentReference, known: readonly Session[]): Session[] {
  const named = known.filter(
    (session) =>
      (reference.sessionId === undefined || session.id === reference.sessionId) &&
      (reference.sid === undefined || session.sid === reference.sid) &&
      (reference.sessionIndex === undefined || session.sessionIndex === reference.sessionIndex),
  );
  const top = Math.min(...named.map((session) => RANK[session.layer]));
  return named.filter((session) => RANK[session.layer] === top);
}

function isSameSession(session: Session, joining: Joining): boolean {
  if (session.spId !== joining.spId) return false;
  if (joining.handles.sid !== undefined) return session.sid === joining.handles.sid;
  if (joining.handles.sessionIndex !== undefined) return session.sessionIndex === joining.handles.sessionIndex;
  return false;
}

const HANGS_ON: Statement = {
  name: 'session-hangs-on',
  text: `WITH RECURSIVE below(graph_id, id) AS (
    VALUES ($1::uuid, $2::uuid)
    UNION SELECT e.child_graph_id, e.child_id FROM below b JOIN session_edges e ON e.graph_id = b.graph_id AND e.parent_id = b.id)
  SELECT 1 FROM below WHERE id = $3`,
};

/** Whether `session` is `above` or lies below it, so that an edge from it to `above` would close a cycle. */
async function hangsOn(sql: Sql, session: Session, above: Session): Promise<boolean> {
  return session.id === above.id || (await sql.query(HANGS_ON, [above.graphId, above.id, session.id])).length > 0;
}

function childOf(joining: Joining, parent: Session, now: Date): Session {
  const { handles } = joining;
  return {
    graphId: parent.graphId,
    id: newId(now.getTime()),
    idpId: parent.idpId,
    spId: joining.spId,
    layer: joining.layer,
    sid: handles.sid ?? null,
    sub: handles.sub ?? null,
    email: handles.email ?? null,
    nameId: handles.nameId ?? null,
    sessionIndex: handles.sessionIndex ?? null,
    tokenSid: handles.sid ?? parent.tokenSid,
    tokenSub: handles.sub ?? parent.tokenSub,
    state: 'live',
    startedAt: now,
    touchedAt: now,
    expiresAt: joining.expiresAt,
    idleTimeoutSeconds: joining.idleTimeoutSeconds,
    endedAt: null,
    endedBy: null,
  };
}
