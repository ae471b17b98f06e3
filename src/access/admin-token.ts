import type { Database } from '#platform/database';
import { hashOfSecret } from './api-key-text.js';
import type { ApiKeys } from './api-keys.js';

/** The row of the token that the configuration gives. */
const CONFIGURED = 'configured';
/** Starters that come at once make one token between them. */
const LOCK = 7_366_142_002;

/**
 * Makes sure that an administrator can call. With a configured token, that one is the only configured one (an older one is replaced);
 * without, a key is generated when there is none yet.
 * @returns the generated key, to be shown once; null when nothing was generated.
 */
export async function ensureAdminToken(
  keys: ApiKeys,
  configured: string | undefined,
  database: Database = keys.database,
): Promise<string | null> {
  return database.transaction(async (sql) => {
    await sql.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    if (configured !== undefined) {
      const hash = hashOfSecret(configured);
      await sql.query('DELETE FROM api_keys WHERE id = $1 AND hash <> $2', [CONFIGURED, hash]);
      await sql.query("INSERT INTO api_keys (id, hash, scope) VALUES ($1, $2, 'admin') ON CONFLICT DO NOTHING", [CONFIGURED, hash]);
      return null;
    }
    // What the configuration no longer says is no longer valid.
    await sql.query('DELETE FROM api_keys WHERE id = $1', [CONFIGURED]);
    const admins = await sql.query("SELECT 1 FROM api_keys WHERE scope = 'admin' AND revoked_at IS NULL LIMIT 1");
    if (admins.length > 0) return null;
    return (await keys.issue({ scope: 'admin' }, sql)).plain;
  });
}
