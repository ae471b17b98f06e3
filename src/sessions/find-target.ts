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
  where: string;
}

/** In the order of precision: a target is looked up by the first of these that it has. */
const LOOKUPS: readonly Lookup[] = [
  { name: 'session-id', key: (t) => t.sessionId, where: `s.id = r.key::uuid AND s.idp_id = $1` },
  { name: 'sid', key: (t) => t.sid, where: `s.idp_id = $1 AND s.layer = 'idp' AND s.sid = r.key` },
  { name: 'sid-below', key: (t) => t.sid, where: `s.idp_id = $1 AND s.layer <> 'idp' AND s.sid = r.key` },
  { name: 'session-index', key: (t) => t.sessionIndex, where: `s.idp_id = $1 AND s.session_index = r.key` },
  { name: 'sub', key: (t) => t.sub, where: `s.idp_id = $1 AND s.sub = r.key` },
  { name: 'name-id', key: (t) => t.nameId && nameIdKey(t.nameId), where: `s.idp_id = $1 AND s.name_id_key = r.key` },
  { name: 'email', key: (t) => (t.email === undefined ? undefined : emailKey(t.email)), where: `s.idp_id = $1 AND s.email = r.key` },
];

/**
 * The sessions of one IdP that each target names, locked against joins (see join-sessions.ts).
 * The most precise handle finds them; every other handle must agree with what the session has of the same kind,
 * so (`sid`, `sub`) is that session only if it is that person's. @see BCL-17
 */
export async function findTargets(sql: Sql, idpId: string, targets: readonly Target[]): Promise<Named[]> {
  const found: Named[] = [];
  for (const group of groupByLookup(targets)) {
    for (const lookup of group.lookups) {
      found.push(
        ...(await sql.query<Named>(
          {
            name: `find-target-by-${lookup.name}`,
            text: `SELECT r.at::int AS at, ${SESSION_COLUMNS} FROM unnest($2::int[], $3::text[]) AS r(at, key) JOIN sessions s ON ${lookup.where}
              ORDER BY s.id FOR UPDATE OF s`,
          },
          [idpId, group.ats, group.keys],
        )),
      );
    }
  }
  return found.filter((session) => agrees(session, targets[session.at]!));
}

function groupByLookup(targets: readonly Target[]): { lookups: Lookup[]; ats: number[]; keys: string[] }[] {
  const groups = new Map<string, { lookups: Lookup[]; ats: number[]; keys: string[] }>();
  targets.forEach((target, at) => {
    const first = LOOKUPS.find((lookup) => lookup.key(target) !== undefined);
    if (first === undefined) return;
    const lookups = first.name === 'sid' ? LOOKUPS.filter((lookup) => lookup.name.startsWith('sid')) : [first];
    const group = groups.get(first.name) ?? { lookups, ats: [], keys: [] };
    group.ats.push(at);
    group.keys.push(first.key(target)!);
    groups.set(first.name, group);
  });
  return [...groups.values()];
}

/** A handle that only one side has neither confirms nor denies. */
function agrees(session: Session, target: Target): boolean {
  const same = (wanted: string | undefined, has: string | null): boolean => wanted === undefined || has === null || wanted === has;
  return (
    same(target.sid, session.sid) &&
    same(target.sub, session.sub) &&
    same(target.sessionIndex, session.sessionIndex) &&
    same(target.email && emailKey(target.email), session.email) &&
    same(target.nameId && nameIdKey(target.nameId), session.nameId && nameIdKey(session.nameId))
  );
}
