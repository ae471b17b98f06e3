import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { ExeuntError } from '#domain';
import { Database } from '#platform/database';
import type { Sql } from '#platform/database';
import type { SamlRole } from '#protocol/saml';
import type { ServiceProvider } from '../types.js';
import type { ImportedMetadata, MetadataOwner, MetadataStanding } from './metadata-rows.js';
import { sourceOf } from './metadata-source.js';
import type { MetadataMembers, MetadataSource } from './metadata-source.js';
import { deleteMetadata, ownerOf, standingsOf, storeMetadata, xmlOf } from './metadata-rows.js';

/** The metadata of parties as it is kept: the document, where it is from, and how its refreshing goes. */
@Injectable()
export class SamlMetadata {
  constructor(private readonly database: Database) {}

  /** Writes in somebody's transaction; null takes away what is there. */
  async store(owner: MetadataOwner, metadata: ImportedMetadata | null, sql: Sql): Promise<void> {
    if (metadata === null) await deleteMetadata(owner, sql);
    else await storeMetadata(owner, metadata, sql);
  }

  /**
   * Where the metadata of a registration comes from. One that comes without any keeps the document that was uploaded for it; what was fetched is named by
   * its URL. What is kept was held against the certificates when it came: it is what they had signed, without the signature.
   * @param before how the party is registered now; null for a new one, or where it has no such side.
   * @throws ExeuntError `validation`
   */
  async sourceFor(
    role: SamlRole,
    given: MetadataMembers,
    before: { owner: MetadataOwner; members: Omit<MetadataMembers, 'metadataXml'> } | null,
    field: string,
  ): Promise<MetadataSource> {
    if (given.metadataXml !== undefined || given.metadataUrl !== undefined) return sourceOf(role, given);
    if (before === null || before.members.metadataUrl !== undefined) {
      throw wanted(field, 'exactly one of metadataXml and metadataUrl is wanted, for no document was uploaded before');
    }
    if (!isDeepStrictEqual(given.metadataCertificates, before.members.metadataCertificates)) {
      throw wanted(field, 'is wanted again with other metadataCertificates, for it has to be held against them');
    }
    return { ...sourceOf(role, given), xml: await this.xml(before.owner), certificates: undefined };
  }

  /** The EntityDescriptor as it was read. @throws ExeuntError `not_found` */
  async xml(owner: MetadataOwner): Promise<string> {
    const xml = await xmlOf(owner, this.database);
    if (xml === null) throw noMetadata(owner);
    return xml;
  }

  /** @throws ExeuntError `not_found` */
  async standing(owner: MetadataOwner): Promise<MetadataStanding> {
    const [standing] = await standingsOf([owner], this.database);
    if (!standing) throw noMetadata(owner);
    return standing;
  }

  /** By the SP's id; those without metadata are not there. */
  async standingsOfSps(sps: readonly Pick<ServiceProvider, 'id' | 'idp' | 'saml'>[]): Promise<Map<string, MetadataStanding>> {
    const owners = sps.filter((sp) => sp.saml !== null).map((sp) => ({ idpId: sp.idp, spId: sp.id }));
    return new Map((await standingsOf(owners, this.database)).map((standing) => [standing.spId!, standing]));
  }

  /** By the id of the identity provider; those without metadata are not there. */
  async standingsOfIdps(ids: readonly string[]): Promise<Map<string, MetadataStanding>> {
    const rows = await standingsOf(
      ids.map((idpId) => ({ idpId, spId: null })),
      this.database,
    );
    return new Map(rows.map((standing) => [standing.idpId, standing]));
  }

  /** Names who has the entityID already: two parties of one name could not be told apart. @returns ExeuntError `conflict` */
  async entityTaken(idpId: string, entityId: string, field: string, cause?: unknown): Promise<ExeuntError> {
    const owner = await ownerOf(idpId, entityId, this.database);
    const who = owner?.spId == null ? `the identity provider ${idpId} itself` : `the service provider ${owner.spId}`;
    const fault = { field, seen: entityId, rule: `must not be the entityID of another party; it is that of ${who}` };
    return new ExeuntError('conflict', `The entityID ${entityId} is that of ${who}`, [fault], { cause });
  }

  /** @throws ExeuntError `conflict` when a service provider of the identity provider has this entityID */
  async refuseSpOfName(idpId: string, entityId: string, field: string): Promise<void> {
    const owner = await ownerOf(idpId, entityId, this.database);
    if (owner?.spId != null) throw await this.entityTaken(idpId, entityId, field);
  }
}

function noMetadata({ idpId, spId }: MetadataOwner): ExeuntError {
  return new ExeuntError(
    'not_found',
    `The ${spId === null ? `identity provider ${idpId}` : `service provider ${spId}`} has no SAML metadata`,
  );
}

function wanted(field: string, rule: string): ExeuntError {
  return new ExeuntError('validation', `The registration is not valid: ${field}/metadataXml ${rule}`, [
    { field: `${field}/metadataXml`, rule },
  ]);
}
