import type { Sql, Statement } from '#platform/database';
import { findTargets } from './find-target.js';
import type { Target } from './session.js';

/** Activity on a session. */
export interface Touch {
  target: Target;
  /** A new end of its lifetime, where the event names one. */
  expiresAt: Date | null;
}

const TOUCH: Statement = {
  name: 'touch-sessions',
  text: `UPDATE sessions s SET touched_at = GREATEST(s.touched_at, $1), expires_at = COALESCE(n.expires_at, s.expires_at)
  FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS n(graph_id, id, expires_at)
  WHERE s.graph_id = n.graph_id AND s.id = n.id AND s.state = 'live'`,
};

/** Records activity. @returns for each touch whether it met a live session, an ended one (and which logout ended it), or none. */
export async function touchSessions(
  sql: Sql,
  idpId: string,
  touches: readonly Touch[],
  now: Date,
): Promise<({ kind: 'touched'; sessionId: string } | { kind: 'session-ended'; logoutId: string | null } | { kind: 'unknown' })[]> {
  const named = await findTargets(
    sql,
    idpId,
    touches.map((touch) => touch.target),
  );
  // The last touch of a batch holds; an UPDATE would take any one of them.
  const live = [...new Map(named.filter((session) => session.state === 'live').map((session) => [session.id, session])).values()];
  if (live.length > 0) {
    await sql.query(TOUCH, [
      now,
      live.map((session) => session.graphId),
      live.map((session) => session.id),
      live.map((session) => touches[session.at]!.expiresAt),
    ]);
  }
  return touches.map((_, at) => {
    const mine = named.filter((session) => session.at === at);
    const alive = mine.find((session) => session.state === 'live');
    if (alive) return { kind: 'touched', sessionId: alive.id };
    return mine[0] ? { kind: 'session-ended', logoutId: mine[0].endedBy } : { kind: 'unknown' };
  });
}
