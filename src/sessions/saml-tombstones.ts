import { createHash } from 'node:crypto';
import { nameIdKey, newId } from '#domain';
import type { NameId } from '#domain';
import type { Sql, Statement } from '#platform/database';
import type { Session } from './session.js';

/**
 * Logins and logouts that name the same person wait for one another where neither can see the other's rows. So many locks there are for the names of
 * one IdP: two names of one lock only wait a moment longer, and a batch of 1,000 logins does not take 1,000 locks.
 */
const LOCKS = 64;

// In one order, so that no two batches wait for each other crosswise.
const LOCK_FOR = (name: string, lock: string): Statement => ({
  name: `lock-names-for-${name}`,
  text: `SELECT ${lock}(k) FROM (SELECT DISTINCT k FROM unnest($1::bigint[]) AS n(k) ORDER BY k) locks`,
});
const LOCK_FOR_LOGOUTS = LOCK_FOR('logouts', 'pg_advisory_xact_lock');
const LOCK_FOR_LOGINS = LOCK_FOR('logins', 'pg_advisory_xact_lock_shared');

/**
 * Waits until no login that bears one of these NameIDs is under way, and holds new ones up until this transaction ends. A statement after it sees what
 * those had written.
 */
export async function awaitLoginsOf(sql: Sql, idpId: string, nameIds: readonly NameId[]): Promise<void> {
  await sql.query(LOCK_FOR_LOGOUTS, [nameIds.map((nameId) => lockOf(idpId, nameIdKey(nameId)))]);
}

/** A logout of sessions that nobody knows yet. */
export interface SamlTombstone {
  nameId: NameId;
  /** Empty: every session of the principal. */
  sessionIndexes: readonly string[];
  /** The SP that asked, whose own sessions alone are meant; null: the IdP said so. */
  spId: string | null;
  forgetAt: Date;
}

const BURY: Statement = {
  name: 'bury-saml-names',
  text: `INSERT INTO saml_tombstones (id, idp_id, name_id_key, session_index, sp_id, buried_at, forget_at)
    SELECT t.id, $2, t.name_id_key, t.session_index, t.sp_id, $6, t.forget_at
    FROM unnest($1::uuid[], $3::text[], $4::text[], $5::text[], $7::timestamptz[]) AS t(id, name_id_key, session_index, sp_id, forget_at)`,
};

/** Remembers logouts, so that a login which they overtook is ended when it comes. Call {@link awaitLoginsOf} and look again first. @see SLO-24 */
export async function buryNames(sql: Sql, idpId: string, tombstones: readonly SamlTombstone[], now: Date): Promise<void> {
  const rows = tombstones.flatMap(({ nameId, sessionIndexes, spId, forgetAt }) =>
    (sessionIndexes.length === 0 ? [null] : [...new Set(sessionIndexes)]).map((index) => ({
      key: nameIdKey(nameId),
      index,
      spId,
      forgetAt,
    })),
  );
  if (rows.length === 0) return;
  await sql.query(BURY, [
    rows.map(() => newId(now.getTime())),
    idpId,
    rows.map((row) => row.key),
    rows.map((row) => row.index),
    rows.map((row) => row.spId),
    now,
    rows.map((row) => row.forgetAt),
  ]);
}

const BURIED: Statement = {
  name: 'find-buried-sessions',
  text: `SELECT n.at::int AS at, bool_or(t.sp_id IS NULL) AS "byIdp" FROM unnest($2::int[], $3::text[], $4::text[], $5::text[]) AS n(at, name_id_key, session_index, sp_id)
    JOIN saml_tombstones t ON t.idp_id = $1 AND t.name_id_key = n.name_id_key AND t.forget_at > $6
      AND (t.session_index IS NULL OR n.session_index IS NULL OR t.session_index = n.session_index) AND (t.sp_id IS NULL OR t.sp_id = n.sp_id)
    GROUP BY n.at`,
};

/** A session that was logged out before it was written. */
export interface Buried {
  session: Session;
  /** `idp`: the IdP itself said so. `sp`: its own SP asked for the logout. */
  by: 'idp' | 'sp';
}

/**
 * Of sessions that this transaction has just written, those that a logout has overtaken. @see SLO-24
 * A logout that looks for them at the same moment either sees them, or is seen here.
 */
export async function findBuried(sql: Sql, idpId: string, sessions: readonly Session[], now: Date): Promise<Buried[]> {
  const named = sessions.filter((session) => session.nameId !== null);
  if (named.length === 0) return [];
  const keys = named.map((session) => nameIdKey(session.nameId!));
  await sql.query(LOCK_FOR_LOGINS, [keys.map((key) => lockOf(idpId, key))]);
  const rows = await sql.query<{ at: number; byIdp: boolean }>(BURIED, [
    idpId,
    named.map((_, at) => at),
    keys,
    named.map((session) => session.sessionIndex),
    named.map((session) => session.spId),
    now,
  ]);
  return rows.map(({ at, byIdp }) => ({ session: named[at]!, by: byIdp ? 'idp' : 'sp' }));
}

/** The number of the lock, as text: it has 64 bits. */
function lockOf(idpId: string, key: string): string {
  const bucket = createHash('sha256').update(key).digest().readUInt16BE(0) % LOCKS;
  return createHash('sha256').update(`saml ${bucket} ${idpId}`).digest().readBigInt64BE(0).toString();
}
