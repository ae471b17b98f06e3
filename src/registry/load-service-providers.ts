import type { Sql, Statement } from '#platform/database';
import type { ServiceProvider } from './types.js';

const LOAD: Statement = {
  name: 'load-service-providers',
  text: `SELECT id, idp_id AS idp, name, layer, channels, saml, post_logout_redirect_uris AS "postLogoutRedirectUris", timeout_ms AS "timeoutMs",
    max_concurrency AS "maxConcurrency", max_per_second AS "maxPerSecond", may_end_root AS "mayEndRoot", enabled,
    created_at AS "createdAt", updated_at AS "updatedAt"
  FROM service_providers WHERE id = ANY($1::text[])`,
};

/**
 * The registrations of these SPs, those that exist. Plain SQL, so that it can run on the connection of a transaction that is under way:
 * one that asked the pool for a second connection could wait for itself.
 */
export async function loadServiceProviders(sql: Sql, ids: readonly string[]): Promise<Map<string, ServiceProvider>> {
  const distinct = [...new Set(ids)];
  if (distinct.length === 0) return new Map();
  const rows = await sql.query<ServiceProvider>(LOAD, [distinct]);
  return new Map(rows.map((sp) => [sp.id, sp]));
}
