import type { Sql, Statement } from '#platform/database';

/** Whether an event is new; if not, what became of it before. */
export type Claim = { isNew: true; before?: undefined } | { isNew: false; before: { sessionId: string | null; logoutId: string | null } };

// In the order of the ids: two batches with the same events, sent at once, then wait for one another instead of locking crosswise.
// The second INSERT waits for the first transaction to commit, and finds the ids taken.
const CLAIM: Statement = {
  name: 'claim-events',
  text: `INSERT INTO intake_events (idp_id, event_id, status, received_at)
  SELECT $1, event_id, 'accepted', $3 FROM unnest($2::text[]) AS e(event_id) ORDER BY event_id ON CONFLICT DO NOTHING RETURNING event_id`,
};

const BEFORE: Statement = {
  name: 'read-events-taken-before',
  text: `SELECT event_id AS "eventId", session_id AS "sessionId", logout_id AS "logoutId" FROM intake_events WHERE idp_id = $1 AND event_id = ANY($2::text[])`,
};

/** Claims the ids of a batch. Of the same id twice in one batch the first is new. */
export async function claimEvents(sql: Sql, idpId: string, events: readonly { id: string }[], now: Date): Promise<Claim[]> {
  const ids = [...new Set(events.map((event) => event.id))];
  const rows = await sql.query<{ eventId?: string; event_id: string }>(CLAIM, [idpId, ids, now]);
  const fresh = new Set(rows.map((row) => row.event_id));
  const taken = ids.filter((id) => !fresh.has(id));
  const before = new Map<string, { sessionId: string | null; logoutId: string | null }>();
  if (taken.length > 0) {
    type Row = { eventId: string; sessionId: string | null; logoutId: string | null };
    for (const { eventId, ...result } of await sql.query<Row>(BEFORE, [idpId, taken])) before.set(eventId, result);
  }
  return events.map((event): Claim => {
    if (fresh.delete(event.id)) return { isNew: true };
    return { isNew: false, before: before.get(event.id) ?? { sessionId: null, logoutId: null } };
  });
}

// The IdP comes with each row and not as a constant: with a constant Postgres may read all events of the IdP to find these few.
const NOTE: Statement = {
  name: 'note-event-results',
  text: `UPDATE intake_events e SET status = n.status, session_id = n.session_id, logout_id = n.logout_id
  FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[]) AS n(idp_id, event_id, status, session_id, logout_id)
  WHERE e.idp_id = n.idp_id AND e.event_id = n.event_id`,
};

const RELEASE: Statement = { name: 'release-events', text: 'DELETE FROM intake_events WHERE idp_id = $1 AND event_id = ANY($2::text[])' };

/** Keeps what became of the claimed events, for those who send them again; a rejected event is forgotten, so that it may be mended and sent again. */
export async function noteEvents(
  sql: Sql,
  idpId: string,
  results: readonly { id: string; status: string; sessionId?: string | null; logoutId?: string | null }[],
): Promise<void> {
  const kept = results.filter((result) => result.status !== 'rejected');
  const rejected = results.filter((result) => result.status === 'rejected');
  if (kept.length > 0) {
    await sql.query(NOTE, [
      kept.map(() => idpId),
      kept.map((result) => result.id),
      kept.map((result) => result.status),
      kept.map((result) => result.sessionId ?? null),
      kept.map((result) => result.logoutId ?? null),
    ]);
  }
  if (rejected.length > 0) await sql.query(RELEASE, [idpId, rejected.map((result) => result.id)]);
}
