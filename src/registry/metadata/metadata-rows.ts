import type { Sql } from '#platform/database';
import type { SamlEntity } from '#protocol/saml';

/** Metadata that was read and passed its checks, not stored yet. */
export interface ImportedMetadata {
  entity: SamlEntity;
  /** The EntityDescriptor alone. */
  xml: string;
  url: string | null;
  etag: string | null;
  fetchedAt: Date;
  /** Null: it was uploaded. */
  refreshAt: Date | null;
}

/** Whose metadata: an SP's, or (`spId` null) that of the identity provider itself. */
export interface MetadataOwner {
  idpId: string;
  spId: string | null;
}

/** What is known of a stored document beside what it says. */
export interface MetadataStanding {
  url: string | null;
  fetchedAt: Date;
  refreshAt: Date | null;
  refreshFailures: number;
  refreshError: string | null;
}

const COLUMNS = `idp_id AS "idpId", sp_id AS "spId", url, fetched_at AS "fetchedAt", refresh_at AS "refreshAt",
  refresh_failures AS "refreshFailures", refresh_error AS "refreshError"`;

/** @throws an error of the database with UNIQUE_VIOLATION when another party of the identity provider has the entityID */
export async function storeMetadata(owner: MetadataOwner, metadata: ImportedMetadata, sql: Sql): Promise<void> {
  await sql.query(
    `INSERT INTO saml_metadata (idp_id, sp_id, entity_id, xml, url, etag, fetched_at, refresh_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (idp_id, sp_id) DO UPDATE SET entity_id = excluded.entity_id, xml = excluded.xml, url = excluded.url, etag = excluded.etag,
       fetched_at = excluded.fetched_at, refresh_at = excluded.refresh_at, refresh_failures = 0, refresh_error = NULL`,
    [owner.idpId, owner.spId, metadata.entity.entityId, metadata.xml, metadata.url, metadata.etag, metadata.fetchedAt, metadata.refreshAt],
  );
}

export async function deleteMetadata(owner: MetadataOwner, sql: Sql): Promise<void> {
  await sql.query('DELETE FROM saml_metadata WHERE idp_id = $1 AND sp_id IS NOT DISTINCT FROM $2', [owner.idpId, owner.spId]);
}

/** Who has the entityID among the parties of an identity provider. */
export async function ownerOf(idpId: string, entityId: string, sql: Sql): Promise<MetadataOwner | null> {
  const [row] = await sql.query<MetadataOwner>(
    'SELECT idp_id AS "idpId", sp_id AS "spId" FROM saml_metadata WHERE idp_id = $1 AND entity_id = $2',
    [idpId, entityId],
  );
  return row ?? null;
}

export async function standingsOf(owners: readonly MetadataOwner[], sql: Sql): Promise<(MetadataStanding & MetadataOwner)[]> {
  if (owners.length === 0) return [];
  return sql.query<MetadataStanding & MetadataOwner>(
    `SELECT ${COLUMNS} FROM saml_metadata m
     JOIN unnest($1::text[], $2::text[]) AS wanted (idp, sp) ON m.idp_id = wanted.idp AND m.sp_id IS NOT DISTINCT FROM wanted.sp`,
    [owners.map((owner) => owner.idpId), owners.map((owner) => owner.spId)],
  );
}

export async function xmlOf(owner: MetadataOwner, sql: Sql): Promise<string | null> {
  const [row] = await sql.query<{ xml: string }>('SELECT xml FROM saml_metadata WHERE idp_id = $1 AND sp_id IS NOT DISTINCT FROM $2', [
    owner.idpId,
    owner.spId,
  ]);
  return row?.xml ?? null;
}
