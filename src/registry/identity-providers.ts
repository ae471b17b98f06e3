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
import type { IdentityProviderRegistration, IdentityProviderReplacement } from './registration-schemas.js';
import { FOREIGN_KEY_VIOLATION, sqlOf, sqlStateOf, UNIQUE_VIOLATION } from './sql-of.js';
import type { IdentityProvider, OidcIdentity } from './types.js';

/** The identity providers: who may tell us of logins and logouts, and as whom we sign. */
@Injectable()
export class IdentityProviders {
  constructor(
    private readonly dataSource: DataSource,
    private readonly egress: Egress,
    private readonly logoutKeys: LogoutKeys,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Registers one, with its logout keys, in one transaction; `within` writes in the same one.
   * @throws ExeuntError `conflict` for an id that is taken, `validation`, `refused_address`
   */
  async create<Extra>(
    registration: IdentityProviderRegistration,
    within: (sql: Sql) => Promise<Extra>,
  ): Promise<{ identityProvider: IdentityProvider; extra: Extra }> {
    const oidc = registration.oidc as OidcIdentity;
    await this.judge(oidc);
    const keys = await this.logoutKeys.prepare(registration.id, oidc);
    const now = this.clock.now();
    const row = { id: registration.id, name: registration.name, oidc, saml: null, createdAt: now, updatedAt: now };
    try {
      return await this.dataSource.transaction(async (manager) => {
        await manager.insert(IdentityProviderEntity, row);
        const sql = await sqlOf(manager);
        await this.logoutKeys.store(keys, sql);
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

  /** All of it anew, but for its id and its keys. @throws ExeuntError `not_found`, `validation`, `refused_address` */
  async replace(id: string, replacement: IdentityProviderReplacement): Promise<IdentityProvider> {
    const oidc = replacement.oidc as OidcIdentity;
    const before = await this.get(id);
    await this.judge(oidc, sameId(id, replacement.id));
    const keys = await this.logoutKeys.prepareMissing(id, oidc);
    const row = { ...before, name: replacement.name, oidc, updatedAt: this.clock.now() };
    await this.dataSource.transaction(async (manager) => {
      await update(manager, row);
      await this.logoutKeys.store(keys, await sqlOf(manager));
    });
    this.logoutKeys.forget(id);
    return row;
  }

  /** With its logout keys and API keys. @throws ExeuntError `not_found`; `conflict` while service providers rely on it */
  async delete(id: string): Promise<void> {
    try {
      if (!isRegistryId(id)) throw new ExeuntError('not_found', 'There is no such identity provider');
      const { affected } = await this.dataSource.getRepository(IdentityProviderEntity).delete({ id });
      if (affected === 0) throw new ExeuntError('not_found', `There is no identity provider ${id}`);
      this.logoutKeys.forget(id);
    } catch (error) {
      if (sqlStateOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
      const count = await this.dataSource.getRepository(ServiceProviderEntity).countBy({ idp: id });
      throw new ExeuntError('conflict', `${count} service providers rely on the identity provider ${id}; delete them first`, [], {
        cause: error,
      });
    }
  }

  private async judge(oidc: OidcIdentity, faults: Fault[] = []): Promise<void> {
    refuseFaults('identity provider', faults, await addressFaults(this.egress, addressesOfIdentity(oidc)));
  }
}

async function update(manager: EntityManager, row: IdentityProvider): Promise<void> {
  const { affected } = await manager.update(
    IdentityProviderEntity,
    { id: row.id },
    { name: row.name, oidc: row.oidc, updatedAt: row.updatedAt },
  );
  if (affected === 0) throw new ExeuntError('not_found', `There is no identity provider ${row.id}`);
}

function taken(id: string): Fault {
  return { field: '/id', seen: id, rule: 'must not be taken' };
}

/** An id in the body of a PUT may only repeat the one in the path. */
export function sameId(id: string, given: string | undefined): Fault[] {
  return given === undefined || given === id ? [] : [{ field: '/id', seen: given, rule: `must be ${id}, as in the path` }];
}
