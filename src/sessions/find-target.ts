import { emailKey, nameIdKey } from '#domain';
import type { Sql } from '#platform/database';
import { SESSION_COLUMNS } from './session.js';
import type { Session, Target } from './session.js';

/** A session that a target names; `at` is the place of the target in the list that was asked for. */
export type Named = Session & { at: number };

interface Lookup {
  name: string;
  /** The key that this look-up is for, or undefined when the target is not named that way. */
  key: (target: Target) => string | undefined;
  /** The same key of a session that was found by it. */
  keyOf: (session: Session) => string | null;
  where: string;
}

/**
 * In the order of precision: a target is looked up by the first of these that it has.
 * `= ANY` and not a join with the keys: a join lets Postgres read all sessions of the IdP and compare, which it does as long as it has no statistics.
 */
const LOOKUPS: readonly Lookup[] = [
  {
    name: 'session-id',
    key: (t) => t.sessionId?.toLowerCase(),
    keyOf: (s) => s.id,
    where: `s.id = ANY($2::uuid[]) AND s.idp_id = $1`,
  },
  {
    name: 'sid',
    key: (t) => t.sid,
    keyOf: (s) => s.sid,
    // In two halves, for each has an index of its own.
    where: `(s.idp_id = $1 AND s.layer = 'idp' AND s.sid IS NOT NULL AND s.sid = ANY($2::text[]))
      OR (s.idp_id = $1 AND s.layer <> 'idp' AND s.sid IS NOT NULL AND s.sid = ANY($2::text[]))`,
  },
  {
    name: 'session-index',
    key: (t) => t.sessionIndex,
    keyOf: (s) => s.sessionIndex,
    where: `s.idp_id = $1 AND s.session_index IS NOT NULL AND s.session_index = ANY($2::text[])`,
  },
  {
    name: 'sub',
    key: (t) => t.sub,
    keyOf: (s) => s.sub,
    where: `s.idp_id = $1 AND s.sub IS NOT NULL AND s.sub = ANY($2::text[])`,
  },
  {
    name: 'name-id',
    key: (t) => t.nameId && nameIdKey(t.nameId),
    keyOf: (s) => s.nameId && nameIdKey(s.nameId),
    where: `s.idp_id = $1 AND s.name_id_key IS NOT NULL AND s.name_id_key = ANY($2::text[])`,
  },
  {
    name: 'email',
    key: (t) => (t.email === undefined ? undefined : emailKey(t.email)),
    keyOf: (s) => s.email,
    where: `s.idp_id = $1 AND s.email IS NOT NULL AND s.email = ANY($2::text[])`,
  },
];

/**
 * The sessions of one IdP that each target names, locked against joins (see join-sessions.ts).
 * The most precise handle finds them; every other handle must agree with what the session has of the same kind,
 * so (`sid`, `sub`) is that session only if it is that person's. @see BCL-17
 */
export async function findTargets(sql: Sql, idpId: string, targets: readonly Target[]): Promise<Named[]> {
  const found: Named[] = [];
  for (const { lookup, atsByKey } of groupByLookup(targets)) {
    const sessions = await sql.query<Session>(
      {
        name: `find-target-by-${lookup.name}`,
        text: `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE ${lookup.where} ORDER BY s.id FOR UPDATE`,
      },
      [idpId, [...atsByKey.keys()]],
    );
    for (const session of sessions) for (const at of atsByKey.get(lookup.keyOf(session)!)!) found.push({ ...session, at });
  }
  return found.filter((session) => isNamedBy(session, targets[session.at]!));
}

/** The targets by the look-up that finds them, and there by their keys: several may ask for the same. */
function groupByLookup(targets: readonly Target[]): { lookup: Lookup; atsByKey: Map<string, number[]> }[] {
  const groups = new Map<Lookup, Map<string, number[]>>();
  targets.forEach((target, at) => {
    const lookup = LOOKUPS.find((one) => one.key(target) !== undefined);
    if (lookup === undefined) return;
    const atsByKey = groups.get(lookup) ?? new Map<string, number[]>();
    groups.set(lookup, atsByKey);
    const key = lookup.key(target)!;
    const ats = atsByKey.get(key);
    if (ats) ats.push(at);
    else atsByKey.set(key, [at]);
  });
  return [...groups].map(([lookup, atsByKey]) => ({ lookup, atsByKey }));
}

/** Whether nothing in the target speaks against the session. A handle that only one side has neither confirms nor denies; the SP must be the one named. */
export function isNamedBy(session: Session, target: Target): boolean {
  const same = (wanted: string | undefined, has: string | null): boolean => wanted === undefined || has === null || wanted === has;
  return (
    same(target.sid, session.sid) &&
    same(target.sub, session.sub) &&
    same(target.sessionIndex, session.sessionIndex) &&
    hasIndexOf(session, target.sessionIndexes ?? []) &&
    (target.spId === undefined || target.spId === session.spId) &&
    same(target.email && emailKey(target.email), session.email) &&
    same(target.nameId && nameIdKey(target.nameId), session.nameId && nameIdKey(session.nameId))
  );
}

function hasIndexOf({ sessionIndex }: Session, wanted: readonly string[]): boolean {
  return wanted.length === 0 || sessionIndex === null || wanted.includes(sessionIndex);
}
