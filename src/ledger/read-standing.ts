import type { Verdict } from '#domain';
import type { Sql, Statement } from '#platform/database';

/** How far a logout has come without a browser. */
export interface LogoutStanding {
  verdict: Verdict;
  /** A delivery is on its way, or will be tried again. What awaits a browser does not move by itself. */
  isMoving: boolean;
}

const STANDING: Statement = {
  name: 'read-standing',
  text: `SELECT l.verdict, EXISTS (SELECT 1 FROM deliveries d WHERE d.logout_id = l.id AND d.outcome IN ('pending', 'retrying')) AS "isMoving"
    FROM logouts l WHERE l.id = $1`,
};

/** Cheap enough to be asked again and again while somebody waits. Null: the retention has forgotten it. */
export async function readStanding(sql: Sql, logoutId: string): Promise<LogoutStanding | null> {
  return (await sql.query<LogoutStanding>(STANDING, [logoutId]))[0] ?? null;
}
