import type { LogoutScope } from '#domain';
import type { Sql, Statement } from '#platform/database';
import { findTargets } from './find-target.js';
import type { Named } from './find-target.js';
import { insertSessions } from './insert-sessions.js';
import { newRoot } from './new-root.js';
import { SESSION_COLUMNS } from './session.js';
import type { Session, Target } from './session.js';

/** One request to end sessions, under the id that its logout will bear. */
export interface Ending {
  logoutId: string;
  target: Target;
  scope: LogoutScope;
}

/** Of these SPs, the ones whose sessions may not take their root with them. */
export type KeptFromRoot = (spIds: readonly string[]) => Promise<ReadonlySet<string>>;

/** What one ending found. */
export interface Ended {
  /** Sessions that live no longer, top down. Empty: nothing was alive. */
  sessions: Session[];
  /** The logout that had ended them before, where they were ended already. */
  endedBefore: string | null;
  /** Whether anything bears the name at all, alive or ended. */
  known: boolean;
  /** Set when the scope was `root` and an SP named by the target may not go up. */
  refusedSp: string | null;
}

const CHILDREN: Statement = {
  name: 'lock-live-children',
  text: `SELECT r.at::int AS at, ${SESSION_COLUMNS} FROM unnest($1::int[], $2::uuid[], $3::uuid[]) AS r(at, graph_id, id)
    JOIN session_edges e ON e.graph_id = r.graph_id AND e.parent_id = r.id
    JOIN sessions s ON s.graph_id = e.child_graph_id AND s.id = e.child_id AND s.state = 'live'
  ORDER BY s.id FOR UPDATE OF s`,
};

const ROOTS: Statement = {
  name: 'find-roots-above',
  text: `WITH RECURSIVE above(at, id) AS (
    SELECT at, id FROM unnest($1::int[], $2::uuid[]) AS r(at, id)
    UNION SELECT a.at, e.parent_id FROM above a JOIN session_edges e ON e.child_id = a.id)
  SELECT a.at::int AS at, s.id FROM above a JOIN sessions s ON s.id = a.id AND s.layer = 'idp'`,
};

const MARK: Statement = {
  name: 'mark-sessions-ended',
  text: `UPDATE sessions s SET state = 'ended', ended_at = $1, ended_by = n.logout_id
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS n(graph_id, id, logout_id) WHERE s.graph_id = n.graph_id AND s.id = n.id`,
};

/**
 * Ends what the targets name and everything that hangs on it, at one IdP, with a handful of statements however many endings there are.
 * A session that two endings reach belongs to the first. A `sid` that nobody knows leaves a tombstone: a login that is still on its way is ended when it comes.
 */
export async function endSessions(
  sql: Sql,
  idpId: string,
  endings: readonly Ending[],
  keptFromRoot: KeptFromRoot,
  now: Date,
): Promise<Ended[]> {
  const results = endings.map((): Ended => ({ sessions: [], endedBefore: null, known: false, refusedSp: null }));
  let named = await findTargets(
    sql,
    idpId,
    endings.map((ending) => ending.target),
  );
  if (await buryUnknown(sql, idpId, endings, named, now))
    named = await findTargets(
      sql,
      idpId,
      endings.map((ending) => ending.target),
    );
  named = await climb(sql, idpId, endings, named, results, keptFromRoot);
  for (const session of named) {
    const result = results[session.at]!;
    result.known = true;
    if (session.state === 'ended') result.endedBefore ??= session.endedBy;
  }
  const reached = await descend(
    sql,
    named.filter((session) => session.state === 'live' && results[session.at]!.refusedSp === null),
  );
  for (const { at, ...session } of reached) results[at]!.sessions.push(session);
  const takenBy = new Map(reached.map((session) => [session.id, session.at]));
  for (const session of named) {
    const first = takenBy.get(session.id);
    if (first !== undefined && first !== session.at) results[session.at]!.endedBefore ??= endings[first]!.logoutId;
  }
  if (reached.length > 0) {
    await sql.query(MARK, [
      now,
      reached.map((session) => session.graphId),
      reached.map((session) => session.id),
      reached.map((session) => endings[session.at]!.logoutId),
    ]);
  }
  return results;
}

/** From SP sessions to the roots above them, for endings whose scope is `root`. */
async function climb(
  sql: Sql,
  idpId: string,
  endings: readonly Ending[],
  named: Named[],
  results: Ended[],
  keptFromRoot: KeptFromRoot,
): Promise<Named[]> {
  const climbing = named.filter((session) => endings[session.at]!.scope === 'root' && session.spId !== null);
  if (climbing.length === 0) return named;
  const kept = await keptFromRoot(climbing.map((session) => session.spId!));
  for (const session of climbing) if (kept.has(session.spId!)) results[session.at]!.refusedSp = session.spId;
  const above = await sql.query<{ at: number; id: string }>(ROOTS, [climbing.map((s) => s.at), climbing.map((s) => s.id)]);
  const roots = await findTargets(
    sql,
    idpId,
    above.map((root) => ({ sessionId: root.id })),
  );
  return [...roots.map((root) => ({ ...root, at: above[root.at]!.at })), ...named];
}

/**
 * Level by level: lock a level, then look for its children in a new statement. A join that held its lock before ours has committed and is seen;
 * a join that comes after waits for us and reads `ended`. One recursive statement would see only what was there when it began.
 */
async function descend(sql: Sql, seeds: readonly Named[]): Promise<Named[]> {
  const reached = new Map<string, Named>();
  let level = seeds;
  while (level.length > 0) {
    const fresh: Named[] = [];
    for (const session of level) {
      if (reached.has(session.id)) continue;
      reached.set(session.id, session);
      fresh.push(session);
    }
    if (fresh.length === 0) break;
    level = await sql.query<Named>(CHILDREN, [fresh.map((s) => s.at), fresh.map((s) => s.graphId), fresh.map((s) => s.id)]);
  }
  return [...reached.values()];
}

/** @returns true when a login overtook us between the look-up and the tombstone, so that it must be looked up again. */
async function buryUnknown(sql: Sql, idpId: string, endings: readonly Ending[], named: readonly Named[], now: Date): Promise<boolean> {
  const found = new Set(named.map((session) => session.at));
  const unknown = endings.filter(
    (ending, at) => !found.has(at) && ending.target.sid !== undefined && ending.target.sessionId === undefined,
  );
  const sids = new Set(unknown.map((ending) => ending.target.sid!));
  const tombstones = [...sids].map((sid) => tombstoneOf(idpId, sid, now));
  return (await insertSessions(sql, tombstones)).size < tombstones.length;
}

/** The handles that were given beside the sid are not trusted to be the right ones: only the sid is remembered. */
function tombstoneOf(idpId: string, sid: string, now: Date): Session {
  return { ...newRoot(idpId, { sid }, now), state: 'ended', endedAt: now };
}
