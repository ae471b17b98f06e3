import { Injectable } from '@nestjs/common';
import { ExeuntError } from '#domain';
import type { Fault } from '#domain';
import { Database } from '#platform/database';
import type { Sql } from '#platform/database';
import type { SamlBinding, SamlEntity } from '#protocol/saml';
import type { SamlConfig, SamlIdentity, ServiceProvider } from '../types.js';
import type { ImportedMetadata, MetadataOwner, MetadataStanding } from './metadata-rows.js';
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

/** What is wrong with the metadata of an SP for the way it is registered. @param field of the metadata, e.g. `/channels/0/metadataXml` */
export function spMetadataFaults(
  channel: Pick<SamlConfig, 'bindings' | 'encryptNameId'>,
  entity: SamlEntity,
  idp: SamlIdentity,
  at: { channel: string; metadata: string },
): Fault[] {
  const faults: Fault[] = [];
  const offered = [...new Set(entity.singleLogoutServices.map((endpoint) => endpoint.binding))];
  if (!channel.bindings.some((binding) => offered.includes(binding))) {
    const seen = offered.length === 0 ? 'none' : offered.join(', ');
    faults.push({
      field: at.metadata,
      seen: `SingleLogoutService: ${seen}`,
      rule: `must have a SingleLogoutService of one of the bindings ${channel.bindings.join(', ')}`,
    });
  }
  if (channel.encryptNameId && entity.encryptionKeys.length === 0) {
    faults.push({
      field: `${at.channel}/encryptNameId`,
      seen: true,
      rule: 'needs a KeyDescriptor for encryption with an RSA key in the metadata, which has none',
    });
  }
  const own = { 'the identity provider itself': idp.entity.entityId, 'Exeunt itself as its service provider': idp.participantEntityId };
  for (const [who, entityId] of Object.entries(own)) {
    if (entity.entityId === entityId) faults.push({ field: at.metadata, seen: entityId, rule: `must not have the entityID of ${who}` });
  }
  return faults;
}

/** URLs of metadata that we call, or that a browser is sent to without TLS; those that are neither are the browser's affair. */
export function endpointUrls(entity: SamlEntity, bindings: readonly SamlBinding[]): string[] {
  const urls = entity.singleLogoutServices
    .filter((endpoint) => bindings.includes(endpoint.binding))
    .flatMap(({ binding, location, responseLocation }) =>
      [location, ...(responseLocation === undefined ? [] : [responseLocation])].filter((url) => binding === 'soap' || /^http:/i.test(url)),
    );
  return [...new Set(urls)];
}

function noMetadata({ idpId, spId }: MetadataOwner): ExeuntError {
  return new ExeuntError(
    'not_found',
    `The ${spId === null ? `identity provider ${idpId}` : `service provider ${spId}`} has no SAML metadata`,
  );
}
