import { emailKey, isId } from '#domain';
import type { Verdict } from '#domain';
import type { Sql } from '#platform/database';
import { LOGOUT_COLUMNS } from './read-logout.js';
import type { LogoutRecord } from './types.js';

export interface LogoutFilter {
  idp?: string;
  sp?: string;
  verdict?: Verdict;
  from?: Date;
  to?: Date;
  /** An id of a logout or session, or the exact `sid`, `sub`, e-mail of a session that was ended. */
  q?: string;
  /** Only logouts older than this one: the last of the page before. */
  before?: string;
  limit: number;
}

/** Newest first: ids are ordered by time. */
export async function listLogouts(sql: Sql, filter: LogoutFilter): Promise<LogoutRecord[]> {
  const params: unknown[] = [];
  const use = (value: unknown): string => `$${params.push(value)}`;
  const where: string[] = [];
  if (filter.idp !== undefined) where.push(`l.idp_id = ${use(filter.idp)}`);
  if (filter.sp !== undefined) where.push(`EXISTS (SELECT 1 FROM deliveries d WHERE d.sp_id = ${use(filter.sp)} AND d.logout_id = l.id)`);
  if (filter.verdict !== undefined) where.push(`l.verdict = ${use(filter.verdict)}`);
  if (filter.from !== undefined) where.push(`l.requested_at >= ${use(filter.from)}`);
  if (filter.to !== undefined) where.push(`l.requested_at < ${use(filter.to)}`);
  if (filter.before !== undefined) where.push(`l.id < ${use(filter.before)}::uuid`);
  if (filter.q !== undefined) where.push(matching(filter.q, use));
  return sql.query<LogoutRecord>(
    `SELECT ${LOGOUT_COLUMNS} FROM logouts l ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''} ORDER BY l.id DESC LIMIT ${use(filter.limit)}`,
    params,
  );
}

function matching(q: string, use: (value: unknown) => string): string {
  if (isId(q)) {
    const id = use(q);
    return `(l.id = ${id}::uuid OR l.id IN (SELECT logout_id FROM deliveries WHERE session_id = ${id}::uuid)
      OR l.id IN (SELECT ended_by FROM sessions WHERE id = ${id}::uuid))`;
  }
  const text = use(q);
  const email = use(emailKey(q));
  const sessions = `SELECT s.ended_by FROM identity_providers i JOIN sessions s ON s.idp_id = i.id`;
  return `l.id IN (${sessions} AND s.layer = 'idp' AND s.sid = ${text} UNION ${sessions} AND s.layer <> 'idp' AND s.sid = ${text}
    UNION ${sessions} AND s.sub = ${text} UNION ${sessions} AND s.email = ${email})`;
}
