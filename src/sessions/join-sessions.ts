import { newId } from '#domain';
import type { Handles, Layer } from '#domain';
import type { Sql, Statement } from '#platform/database';
import { insertEdges, insertSessions } from './insert-sessions.js';
import type { Edge } from './insert-sessions.js';
import { KnownSessions } from './known-sessions.js';
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
// Each alternative is a scan of its own index; as a join with the keys Postgres may read all sessions of the IdP instead.
const FIND: Statement = {
  name: 'find-sessions-to-join',
  text: `SELECT ${SESSION_COLUMNS} FROM sessions s
  WHERE (s.idp_id = $1 AND s.layer = 'idp' AND s.sid IS NOT NULL AND s.sid = ANY($2::text[]))
    OR (s.idp_id = $1 AND s.layer <> 'idp' AND s.sid IS NOT NULL AND s.sid = ANY($2::text[]))
    OR (s.idp_id = $1 AND s.session_index IS NOT NULL AND s.session_index = ANY($3::text[]))
    OR (s.idp_id = $1 AND s.id = ANY($4::uuid[]))
  ORDER BY s.id FOR KEY SHARE`,
};

/**
 * Joins sessions to the graphs they hang on. The same session of the same SP that joins again (under the same `sid` or SessionIndex) is one
 * session with several parents; an edge that would close a cycle is left out. A session that joins what has ended is written all the same, and
 * answered `session-ended`: its caller ends it at once, so that its SP is told.
 */
export async function joinSessions(sql: Sql, idpId: string, joinings: readonly Joining[], now: Date): Promise<Arrival[]> {
  const known = new KnownSessions(await findKnown(sql, idpId, joinings));
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
    let child = known.named(ownNameOf(joining)).find((session) => session.state === 'live' && session.spId === joining.spId);
    if (child === undefined) {
      child = childOf(joining, parents[0]!, now);
      fresh.push(child);
      known.add(child);
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

/**
 * All that bear the name, of the topmost layer that has any: an SP session often bears the `sid` of the session above it. Those that live, if any do:
 * a gateway may use a name again, and its old session is not meant.
 */
function parentsOf(reference: ParentReference, known: KnownSessions): Session[] {
  const named = known.named(reference);
  const top = Math.min(...named.map((session) => RANK[session.layer]));
  const highest = named.filter((session) => RANK[session.layer] === top);
  const live = highest.filter((session) => session.state === 'live');
  return live.length > 0 ? live : highest;
}

/** What its SP calls the session: by this it is the same one when it joins again. Without such a name it is a new one each time. */
function ownNameOf({ handles: { sid, sessionIndex } }: Joining): ParentReference {
  return sid === undefined ? { sessionIndex } : { sid };
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
    nameId: handles.nameId ?? parent.nameId,
    // An index belongs to the assertion with the NameID beside it: where the SP has a name of its own, the index above is not its index.
    sessionIndex: handles.sessionIndex ?? (handles.nameId === undefined ? parent.sessionIndex : null),
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
