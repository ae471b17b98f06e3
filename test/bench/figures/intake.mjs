import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { EVENTS_A_BATCH } from '../exeunt.mjs';
import { atMost, median, nowMs } from '../statistics.mjs';
import { IDP, usersAt } from '../world.mjs';

/** As many batches at a time as `logIn` posts. */
const AT_ONCE = 4;
const JOINS = 3;

/** Session events taken in a second, over HTTP, against bare multi-row inserts of the same rows into the same tables. */
export async function measureIntake(world) {
  const { quick, rounds } = world.options;
  const exeunt = world.first;
  const users = quick ? 500 : 4_000;
  world.say('intake: warming up');
  await httpRate(exeunt, 1_000);
  await exeunt.analyze();
  await httpRate(exeunt, 1_000);
  const pool = new pg.Pool({ connectionString: world.databaseUrl(`bench_${exeunt.backend}`), max: AT_ONCE });
  try {
    await bareRate(exeunt, pool, 1_000);
    const seen = [];
    for (let round = 1; round <= rounds; round++) {
      const one = { http: await httpRate(exeunt, users), bare: await bareRate(exeunt, pool, users) };
      seen.push(one);
      world.say(`intake: round ${round}: ${Math.round(one.http)} events/s over HTTP, ${Math.round(one.bare)}/s bare`);
    }
    return [
      {
        name: 'intake',
        figure: 'session events taken in / bare multi-row inserts of the same rows',
        goal: { atLeast: 0.5 },
        ratio: median(seen.map((round) => round.http / round.bare)),
        absolute: { eventsPerSecond: median(seen.map((round) => round.http)), barePerSecond: median(seen.map((round) => round.bare)) },
        shown: ({ eventsPerSecond, barePerSecond }) => `${Math.round(eventsPerSecond)} / ${Math.round(barePerSecond)} events a second`,
        rounds: seen.map((round) => round.http / round.bare),
      },
    ];
  } finally {
    await pool.end();
  }
}

async function httpRate(exeunt, count) {
  const users = usersAt(exeunt.fresh('i'), count, JOINS);
  const begin = nowMs();
  await exeunt.logIn(IDP, users);
  return (count * (1 + JOINS) * 1_000) / (nowMs() - begin);
}

const EVENTS =
  'INSERT INTO intake_events (idp_id, event_id, status, session_id, received_at) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[])';
const SESSIONS = `INSERT INTO sessions (graph_id, id, idp_id, sp_id, layer, sid, sub, token_sid, token_sub, started_at, touched_at)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])`;
const EDGES =
  'INSERT INTO session_edges (graph_id, parent_id, child_id, child_graph_id) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[])';

async function bareRate(exeunt, pool, count) {
  const users = usersAt(exeunt.fresh('b'), count, JOINS);
  const aBatch = EVENTS_A_BATCH / (1 + JOINS);
  const batches = [];
  for (let at = 0; at < users.length; at += aBatch) batches.push(rowsOf(users.slice(at, at + aBatch)));
  const begin = nowMs();
  await atMost(
    AT_ONCE,
    batches.map((batch) => () => insert(pool, batch)),
  );
  return (count * (1 + JOINS) * 1_000) / (nowMs() - begin);
}

async function insert(pool, { events, sessions, edges }) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query({ name: 'events', text: EVENTS, values: events });
    await client.query({ name: 'sessions', text: SESSIONS, values: sessions });
    await client.query({ name: 'edges', text: EDGES, values: edges });
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

/** Columns, ready to be sent: making them is not on the clock. */
function rowsOf(users) {
  const now = new Date();
  const rows = { events: [], sessions: [], edges: [] };
  for (const { sid, sps } of users) {
    const root = timeOrderedId(now);
    const sub = `user-${sid}`;
    rows.sessions.push([root, root, IDP, null, 'idp', sid, sub, sid, sub, now, now]);
    rows.events.push([IDP, `in-${sid}`, 'accepted', root, now]);
    for (const sp of sps) {
      const id = timeOrderedId(now);
      rows.sessions.push([root, id, IDP, sp, 'sp', null, null, sid, sub, now, now]);
      rows.events.push([IDP, `in-${sid}-${sp}`, 'accepted', id, now]);
      rows.edges.push([root, root, id, root]);
    }
  }
  return { events: columnsOf(rows.events), sessions: columnsOf(rows.sessions), edges: columnsOf(rows.edges) };
}

const columnsOf = (rows) => rows[0].map((_, column) => rows.map((row) => row[column]));

let counted = 0;
/** As Exeunt's own ids are: those of neighbours lie side by side in an index. */
function timeOrderedId(now) {
  const time = now.getTime().toString(16).padStart(12, '0');
  const count = (counted++ & 0xfff).toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${randomUUID().slice(19)}`;
}
