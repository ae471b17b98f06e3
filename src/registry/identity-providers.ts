import { Inject, Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { ExeuntError } from '#domain';
import type { Clock, Fault } from '#domain';
import { CLOCK } from '#platform';
import type { Sql } from '#platform/database';
import { Egress } from '#platform/egress';
import { pageOf, startOf } from '#platform/paging';
import type { Page, PageRequest } from '#platform/paging';
import { IdentityProviderEntity, ServiceProviderEntity } from './entities.js';
import { addressesOfIdentity, addressFaults, refuseFaults } from './judge-addresses.js';
import { isRegistryId } from './id.js';
import { LogoutKeys } from './logout-keys.js';
import type { IdentityProviderRegistration, IdentityProviderReplacement, SamlSideRegistration } from './registration-schemas.js';
import { ImportMetadata } from './metadata/import-metadata.js';
import type { ImportedMetadata } from './metadata/metadata-rows.js';
import { judgeIdpMetadata } from './metadata/judge-metadata.js';
import { SamlMetadata } from './metadata/saml-metadata.js';
import { PublicUrl } from './public-url.js';
import { SamlKeys } from './saml-keys.js';
import { constraintOf, ENTITY_ID_TAKEN, FOREIGN_KEY_VIOLATION, sqlOf, sqlStateOf, UNIQUE_VIOLATION } from './sql-of.js';
import type { IdentityProvider, OidcIdentity, SamlIdentity } from './types.js';

/** The identity providers: who may tell us of logins and logouts, and as whom we sign. */
@Injectable()
export class IdentityProviders {
  constructor(
    private readonly dataSource: DataSource,
    private readonly egress: Egress,
    private readonly logoutKeys: LogoutKeys,
    private readonly samlKeys: SamlKeys,
    private readonly importMetadata: ImportMetadata,
    private readonly metadata: SamlMetadata,
    private readonly publicUrl: PublicUrl,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Registers one, with its logout keys, in one transaction; `within` writes in the same one.
   * @throws ExeuntError `conflict` for an id that is taken, `validation`, `refused_address`, `bad_upstream`
   */
  async create<Extra>(
    registration: IdentityProviderRegistration,
    within: (sql: Sql) => Promise<Extra>,
  ): Promise<{ identityProvider: IdentityProvider; extra: Extra }> {
    const { id, name } = registration;
    const oidc = (registration.oidc ?? null) as OidcIdentity | null;
    await this.judge(oidc);
    const { saml, metadata } = await this.samlSideOf(id, registration.saml ?? null, null);
    const keys = await this.logoutKeys.prepare(id, oidc);
    const samlKeys = saml === null ? [] : await this.samlKeys.prepareSaml(id);
    const now = this.clock.now();
    const row: IdentityProvider = { id, name, oidc, saml, createdAt: now, updatedAt: now };
    try {
      return await this.dataSource.transaction(async (manager) => {
        await manager.insert(IdentityProviderEntity, row);
        const sql = await sqlOf(manager);
        await this.logoutKeys.store(keys, sql);
        await this.samlKeys.store(samlKeys, sql);
        await this.metadata.store({ idpId: id, spId: null }, metadata, sql);
        return { identityProvider: row, extra: await within(sql) };
      });
    } catch (error) {
      if (sqlStateOf(error) === UNIQUE_VIOLATION) {
        throw new ExeuntError('conflict', `There is an identity provider ${registration.id} already`, [taken(registration.id)], {
          cause: error,
        });
      }
      throw error;
    }
  }

  async find(id: string): Promise<IdentityProvider | null> {
    return isRegistryId(id) ? this.dataSource.getRepository(IdentityProviderEntity).findOneBy({ id }) : null;
  }

  /** @throws ExeuntError `not_found` */
  async get(id: string): Promise<IdentityProvider> {
    const found = await this.find(id);
    if (!found) throw new ExeuntError('not_found', `There is no identity provider ${id}`);
    return found;
  }

  /** In the order of their ids. */
  async list(page: PageRequest): Promise<Page<IdentityProvider>> {
    const start = startOf(page);
    const rows = await this.dataSource.getRepository(IdentityProviderEntity).find({
      where: start === undefined ? {} : { id: MoreThan(start) },
      order: { id: 'ASC' },
      take: page.limit + 1,
    });
    return pageOf(rows, page.limit);
  }

  /**
   * All of it anew, but for its id and its keys.
   * @throws ExeuntError `not_found`, `validation`, `refused_address`, `bad_upstream`; `conflict` when service providers rely on a side that
   *   is taken away, or one has the entityID
   */
  async replace(id: string, replacement: IdentityProviderReplacement): Promise<IdentityProvider> {
    const oidc = (replacement.oidc ?? null) as OidcIdentity | null;
    const before = await this.get(id);
    await this.judge(oidc, sameId(id, replacement.id));
    await this.refuseToOrphan(before, { oidc, saml: replacement.saml ?? null });
    const { saml, metadata } = await this.samlSideOf(id, replacement.saml ?? null, before.saml);
    const keys = await this.logoutKeys.prepareMissing(id, oidc);
    const samlKeys = saml === null ? [] : await this.samlKeys.prepareSaml(id);
    const row = { ...before, name: replacement.name, oidc, saml, updatedAt: this.clock.now() };
    try {
      await this.dataSource.transaction(async (manager) => {
        await update(manager, row);
        const sql = await sqlOf(manager);
        await this.logoutKeys.store(keys, sql);
        await this.samlKeys.store(samlKeys, sql);
        await this.metadata.store({ idpId: id, spId: null }, metadata, sql);
      });
    } catch (error) {
      if (saml === null || constraintOf(error) !== ENTITY_ID_TAKEN) throw error;
      throw await this.metadata.entityTaken(id, saml.entity.entityId, metadataField(replacement.saml), error);
    }
    this.logoutKeys.forget(id);
    this.samlKeys.forget(id);
    return row;
  }

  /** With its logout keys and API keys. @throws ExeuntError `not_found`; `conflict` while service providers rely on it */
  async delete(id: string): Promise<void> {
    try {
      if (!isRegistryId(id)) throw new ExeuntError('not_found', 'There is no such identity provider');
      const { affected } = await this.dataSource.getRepository(IdentityProviderEntity).delete({ id });
      if (affected === 0) throw new ExeuntError('not_found', `There is no identity provider ${id}`);
      this.logoutKeys.forget(id);
      this.samlKeys.forget(id);
    } catch (error) {
      if (sqlStateOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
      const count = await this.dataSource.getRepository(ServiceProviderEntity).countBy({ idp: id });
      throw new ExeuntError('conflict', `${count} service providers rely on the identity provider ${id}; delete them first`, [], {
        cause: error,
      });
    }
  }

  /** Reads the metadata of its SAML side. */
  private async samlSideOf(
    id: string,
    given: SamlSideRegistration | null,
    before: SamlIdentity | null,
  ): Promise<{ saml: SamlIdentity | null; metadata: ImportedMetadata | null }> {
    if (given === null) return { saml: null, metadata: null };
    const registered = before && { owner: { idpId: id, spId: null }, members: before };
    const metadata = await this.importMetadata.read(await this.metadata.sourceFor('idp', given, registered, '/saml'), '/saml');
    const participantEntityId = given.participantEntityId ?? `${this.publicUrl.get()}/idps/${encodeURIComponent(id)}/saml/sp-metadata`;
    await judgeIdpMetadata(this.egress, metadata.entity, participantEntityId, metadataField(given));
    await this.metadata.refuseSpOfName(id, participantEntityId, '/saml/participantEntityId');
    const { metadataXml: _, ...kept } = given;
    return { saml: { ...kept, entity: metadata.entity, participantEntityId }, metadata };
  }

  /** A side that service providers are told by stays as long as they do. */
  private async refuseToOrphan(before: IdentityProvider, after: { oidc: unknown; saml: unknown }): Promise<void> {
    const sides = { oidc: 'oidc-backchannel', saml: 'saml' } as const;
    for (const [side, type] of Object.entries(sides) as ['oidc' | 'saml', string][]) {
      if (before[side] === null || after[side] !== null) continue;
      const count = await this.dataSource
        .getRepository(ServiceProviderEntity)
        .createQueryBuilder('sp')
        .where('sp.idp = :id AND sp.channels @> :channel', { id: before.id, channel: JSON.stringify([{ type }]) })
        .getCount();
      if (count === 0) continue;
      const rule = `must stay: ${count} service providers have a channel of type ${type}`;
      throw new ExeuntError('conflict', `The ${side} side of the identity provider ${before.id} ${rule}`, [{ field: `/${side}`, rule }]);
    }
  }

  private async judge(oidc: OidcIdentity | null, faults: Fault[] = []): Promise<void> {
    refuseFaults('identity provider', faults, await addressFaults(this.egress, addressesOfIdentity(oidc)));
  }
}

async function update(manager: EntityManager, row: IdentityProvider): Promise<void> {
  const { affected } = await manager.update(
    IdentityProviderEntity,
    { id: row.id },
    { name: row.name, oidc: row.oidc, saml: row.saml, updatedAt: row.updatedAt },
  );
  if (affected === 0) throw new ExeuntError('not_found', `There is no identity provider ${row.id}`);
}

function metadataField(given: { metadataUrl?: string | undefined } | null | undefined): string {
  return given?.metadataUrl === undefined ? '/saml/metadataXml' : '/saml/metadataUrl';
}

function taken(id: string): Fault {
  return { field: '/id', seen: id, rule: 'must not be taken' };
}

/** An id in the body of a PUT may only repeat the one in the path. */
export function sameId(id: string, given: string | undefined): Fault[] {
  return given === undefined || given === id ? [] : [{ field: '/id', seen: given, rule: `must be ${id}, as in the path` }];
}
