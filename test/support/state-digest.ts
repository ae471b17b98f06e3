import type { Database } from '#platform/database';

/** All that a logout message could change. */
const TABLES = [
  'sessions',
  'session_edges',
  'logouts',
  'deliveries',
  'attempts',
  'seen_messages',
  'saml_tombstones',
  'browser_flows',
  'saml_requests',
];

/** A digest of each of those tables, for a comparison of before and after. `sweep_at` is left out: the sweeper moves it whatever comes in. */
export async function stateDigest(database: Database): Promise<Record<string, string>> {
  const digests = TABLES.map(
    (table) =>
      `(SELECT count(*) || ' ' || coalesce(md5(string_agg(row::text, '|' ORDER BY row::text)), '')
        FROM (SELECT to_jsonb(t) - 'sweep_at' AS row FROM ${table} t) r) AS ${table}`,
  );
  return (await database.query<Record<string, string>>(`SELECT ${digests.join(', ')}`))[0]!;
}
