import type { Sql, Statement } from '#platform/database';
import type { ServiceProvider } from './types.js';

/** The columns of a service provider `s`, in the spelling of {@link ServiceProvider}. */
export const SP_COLUMNS = `s.id, s.idp_id AS idp, s.name, s.layer, s.channels, s.saml, s.post_logout_redirect_uris AS "postLogoutRedirectUris",
  s.timeout_ms AS "timeoutMs", s.max_concurrency AS "maxConcurrency", s.max_per_second AS "maxPerSecond", s.may_end_root AS "mayEndRoot", s.enabled,
  s.created_at AS "createdAt", s.updated_at AS "updatedAt"`;

const LOAD: Statement = {
  name: 'load-service-providers',
  text: `SELECT ${SP_COLUMNS} FROM service_providers s WHERE s.id = ANY($1::text[])`,
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
