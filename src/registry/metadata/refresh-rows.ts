import type { Sql } from '#platform/database';
import type { SamlEntity } from '#protocol/saml';
import type { ImportedMetadata, MetadataOwner } from './metadata-rows.js';

/** A document that is to be fetched again, with all that is needed for it. */
export interface RefreshTask extends MetadataOwner {
  entityId: string;
  url: string;
  etag: string | null;
  failures: number;
}

const TASK = 'idp_id AS "idpId", sp_id AS "spId", entity_id AS "entityId", url, etag, refresh_failures AS failures';
const OWN = 'idp_id = $1 AND sp_id IS NOT DISTINCT FROM $2 AND url = $3';

/** Takes the one that is due longest; nobody else gets it until the lease has passed. Null when none is due. */
export async function leaseDue(now: Date, leaseUntil: Date, sql: Sql): Promise<RefreshTask | null> {
  const [task] = await sql.query<RefreshTask>(
    `UPDATE saml_metadata SET refresh_at = $2 WHERE ctid =
       (SELECT ctid FROM saml_metadata WHERE refresh_at <= $1 ORDER BY refresh_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING ${TASK}`,
    [now, leaseUntil],
  );
  return task ?? null;
}

/** That of one party, due or not; null when it has none that is fetched. */
export async function findTask(owner: MetadataOwner, sql: Sql): Promise<RefreshTask | null> {
  const [task] = await sql.query<RefreshTask>(
    `SELECT ${TASK} FROM saml_metadata WHERE idp_id = $1 AND sp_id IS NOT DISTINCT FROM $2 AND url IS NOT NULL`,
    [owner.idpId, owner.spId],
  );
  return task ?? null;
}

/** The same document still. */
export async function recordUnchanged(task: RefreshTask, refreshAt: Date, now: Date, sql: Sql): Promise<void> {
  await sql.query(`UPDATE saml_metadata SET fetched_at = $4, refresh_at = $5, refresh_failures = 0, refresh_error = NULL WHERE ${OWN}`, [
    task.idpId,
    task.spId,
    task.url,
    now,
    refreshAt,
  ]);
}

/** What was there stays. */
export async function recordFailure(task: RefreshTask, error: string, refreshAt: Date, sql: Sql): Promise<void> {
  await sql.query(`UPDATE saml_metadata SET refresh_at = $4, refresh_failures = refresh_failures + 1, refresh_error = $5 WHERE ${OWN}`, [
    task.idpId,
    task.spId,
    task.url,
    refreshAt,
    error,
  ]);
}

/** A newer document; to be called in a transaction. A registration that was changed meanwhile is left alone. */
export async function recordRefreshed(task: RefreshTask, metadata: ImportedMetadata, sql: Sql): Promise<void> {
  const rows = await sql.query(
    `UPDATE saml_metadata SET xml = $4, etag = $5, fetched_at = $6, refresh_at = $7, refresh_failures = 0, refresh_error = NULL
     WHERE ${OWN} AND entity_id = $8 RETURNING 1`,
    [task.idpId, task.spId, task.url, metadata.xml, metadata.etag, metadata.fetchedAt, metadata.refreshAt, metadata.entity.entityId],
  );
  if (rows.length > 0) await writeEntity(task, metadata.entity, sql);
}

async function writeEntity({ idpId, spId }: MetadataOwner, entity: SamlEntity, sql: Sql): Promise<void> {
  const json = JSON.stringify(entity);
  if (spId !== null) await sql.query('UPDATE service_providers SET saml = $2 WHERE id = $1', [spId, json]);
  else
    await sql.query(`UPDATE identity_providers SET saml = jsonb_set(saml, '{entity}', $2) WHERE id = $1 AND saml IS NOT NULL`, [
      idpId,
      json,
    ]);
}
