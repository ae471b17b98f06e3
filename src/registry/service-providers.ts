import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In, MoreThan } from 'typeorm';
import { ExeuntError } from '#domain';
import type { Clock, Fault } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import type { Sql } from '#platform/database';
import { Egress } from '#platform/egress';
import { pageOf, startOf } from '#platform/paging';
import type { Page, PageRequest } from '#platform/paging';
import { ServiceProviderEntity } from './entities.js';
import { IdentityProviders, sameId } from './identity-providers.js';
import { addressesOfChannels, addressFaults, refuseFaults } from './judge-addresses.js';
import { isRegistryId } from './id.js';
import { LogoutKeys } from './logout-keys.js';
import { ImportMetadata } from './metadata/import-metadata.js';
import type { ImportedMetadata } from './metadata/metadata-rows.js';
import { judgeSpMetadata } from './metadata/judge-metadata.js';
import { SamlMetadata } from './metadata/saml-metadata.js';
import type { SamlChannelRegistration, ServiceProviderRegistration, ServiceProviderReplacement } from './registration-schemas.js';
import { constraintOf, ENTITY_ID_TAKEN, FOREIGN_KEY_VIOLATION, sqlOf, sqlStateOf, UNIQUE_VIOLATION } from './sql-of.js';
import type { ChannelConfig, IdentityProvider, SamlConfig, ServiceProvider, SigningAlg } from './types.js';

type ChannelRegistration = ServiceProviderReplacement['channels'][number];
type Settings = Omit<ServiceProvider, 'id' | 'idp' | 'createdAt' | 'updatedAt'>;

/** The service providers: who must be told when a session ends, and how. */
@Injectable()
export class ServiceProviders {
  constructor(
    private readonly dataSource: DataSource,
    private readonly egress: Egress,
    private readonly identityProviders: IdentityProviders,
    private readonly logoutKeys: LogoutKeys,
    private readonly importMetadata: ImportMetadata,
    private readonly metadata: SamlMetadata,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Registers one; its identity provider gets a key for each algorithm it asks for. `within` writes in the same transaction.
   * @throws ExeuntError `not_found` for an unknown identity provider, `conflict` for an id or an entityID that is taken, `validation`,
   *   `refused_address`, `bad_upstream`
   */
  async create<Extra>(
    registration: ServiceProviderRegistration,
    within: (sql: Sql) => Promise<Extra>,
  ): Promise<{ serviceProvider: ServiceProvider; extra: Extra }> {
    const settings = settingsOf(registration, DEFAULTS);
    const idp = await this.identityProviders.get(registration.idp).catch((error: unknown) => {
      throw unknownIdp(error, registration.idp);
    });
    await this.judge(settings, sideFaults(idp, settings.channels));
    const metadata = await this.metadataOf(registration.channels, idp, null);
    settings.saml = metadata?.entity ?? null;
    const keys = await this.logoutKeys.prepareFor(registration.idp, algsOf(settings.channels));
    const now = this.clock.now();
    const row: ServiceProvider = { id: registration.id, idp: registration.idp, ...settings, createdAt: now, updatedAt: now };
    try {
      const extra = await this.dataSource.transaction(async (manager) => {
        await manager.insert(ServiceProviderEntity, row);
        const sql = await sqlOf(manager);
        await this.logoutKeys.store(keys, sql);
        await this.metadata.store({ idpId: row.idp, spId: row.id }, metadata, sql);
        return within(sql);
      });
      return { serviceProvider: row, extra };
    } catch (error) {
      const state = sqlStateOf(error);
      if (constraintOf(error) === ENTITY_ID_TAKEN) throw await this.entityTaken(registration.channels, row, error);
      if (state === UNIQUE_VIOLATION) {
        const fault = { field: '/id', seen: registration.id, rule: 'must not be taken' };
        throw new ExeuntError('conflict', `There is a service provider ${registration.id} already`, [fault], { cause: error });
      }
      if (state === FOREIGN_KEY_VIOLATION) throw unknownIdp(new ExeuntError('not_found', 'deleted meanwhile'), registration.idp);
      throw error;
    }
  }

  async find(id: string): Promise<ServiceProvider | null> {
    return isRegistryId(id) ? this.dataSource.getRepository(ServiceProviderEntity).findOneBy({ id }) : null;
  }

  /** @throws ExeuntError `not_found` */
  async get(id: string): Promise<ServiceProvider> {
    const found = await this.find(id);
    if (!found) throw new ExeuntError('not_found', `There is no service provider ${id}`);
    return found;
  }

  /** Those of the ids that there are, with one statement. */
  async loadMany(ids: readonly string[]): Promise<Map<string, ServiceProvider>> {
    if (ids.length === 0) return new Map();
    const rows = await this.dataSource.getRepository(ServiceProviderEntity).findBy({ id: In([...new Set(ids)]) });
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** In the order of their ids; of one identity provider when given. */
  async list(page: PageRequest, idp?: string): Promise<Page<ServiceProvider>> {
    const start = startOf(page);
    const rows = await this.dataSource.getRepository(ServiceProviderEntity).find({
      where: { ...(start === undefined ? {} : { id: MoreThan(start) }), ...(idp === undefined ? {} : { idp }) },
      order: { id: 'ASC' },
      take: page.limit + 1,
    });
    return pageOf(rows, page.limit);
  }

  /**
   * All of it anew, but for its id and its identity provider. `ownOnly`: the caller is the SP itself, who may not give itself what others
   * decide (`mayEndRoot`, `enabled`, `layer`); left out, these stay as they are.
   * @throws ExeuntError `not_found`, `forbidden`, `validation`, `refused_address`, `bad_upstream`, `conflict` for an entityID that is taken
   */
  async replace(id: string, replacement: ServiceProviderReplacement, options: { ownOnly?: boolean } = {}): Promise<ServiceProvider> {
    const before = await this.get(id);
    const settings = settingsOf(replacement, options.ownOnly ? before : DEFAULTS);
    if (options.ownOnly) refuseOwnGrants(before, settings);
    const idp = await this.identityProviders.get(before.idp);
    const faults = [...sameId(id, replacement.id), ...sameIdp(before.idp, replacement.idp), ...sideFaults(idp, settings.channels)];
    await this.judge(settings, faults);
    const metadata = await this.metadataOf(replacement.channels, idp, before);
    settings.saml = metadata?.entity ?? null;
    const keys = await this.logoutKeys.prepareFor(before.idp, algsOf(settings.channels));
    const row: ServiceProvider = { ...before, ...settings, updatedAt: this.clock.now() };
    try {
      await this.dataSource.transaction(async (manager) => {
        const { id: _, ...columns } = row;
        const { affected } = await manager.update(ServiceProviderEntity, { id }, columns);
        if (affected === 0) throw new ExeuntError('not_found', `There is no service provider ${id}`);
        const sql = await sqlOf(manager);
        await this.logoutKeys.store(keys, sql);
        await this.metadata.store({ idpId: row.idp, spId: id }, metadata, sql);
      });
    } catch (error) {
      if (constraintOf(error) === ENTITY_ID_TAKEN) throw await this.entityTaken(replacement.channels, row, error);
      throw error;
    }
    return row;
  }

  /** Its sessions stay; their deliveries will be `skipped`. @throws ExeuntError `not_found` */
  async delete(id: string): Promise<void> {
    await this.get(id);
    const { affected } = await this.dataSource.getRepository(ServiceProviderEntity).delete({ id });
    if (affected === 0) throw new ExeuntError('not_found', `There is no service provider ${id}`);
  }

  /** Reads the metadata of its `saml` channel, if it has one, and judges what it names. */
  private async metadataOf(
    channels: readonly ChannelRegistration[],
    idp: IdentityProvider,
    before: ServiceProvider | null,
  ): Promise<ImportedMetadata | null> {
    const at = channels.findIndex((channel) => channel.type === 'saml');
    if (at < 0 || idp.saml === null) return null;
    const channel = channels[at] as SamlChannelRegistration;
    const members = before?.channels.find(({ type }) => type === 'saml') as SamlConfig | undefined;
    const registered = before && members ? { owner: { idpId: before.idp, spId: before.id }, members } : null;
    const source = await this.metadata.sourceFor('sp', channel, registered, `/channels/${at}`);
    const metadata = await this.importMetadata.read(source, `/channels/${at}`);
    const fields = { channel: `/channels/${at}`, metadata: metadataField(channel, at) };
    await judgeSpMetadata(this.egress, channel, metadata.entity, idp.saml, fields);
    return metadata;
  }

  private entityTaken(channels: readonly ChannelRegistration[], row: ServiceProvider, cause: unknown): Promise<ExeuntError> {
    const at = channels.findIndex((channel) => channel.type === 'saml');
    return this.metadata.entityTaken(row.idp, row.saml!.entityId, metadataField(channels[at] as SamlChannelRegistration, at), cause);
  }

  private async judge(settings: Settings, faults: Fault[] = []): Promise<void> {
    const limit = this.config.dispatch.attemptTimeoutLimitMs;
    const rules = [...faults];
    if (settings.timeoutMs !== null && settings.timeoutMs > limit) {
      rules.push({ field: '/timeoutMs', seen: settings.timeoutMs, rule: `must be at most ${limit} (dispatch.attemptTimeoutLimitMs)` });
    }
    refuseFaults('service provider', rules, await addressFaults(this.egress, addressesOfChannels(settings.channels)));
  }
}

const DEFAULTS: Pick<Settings, 'layer' | 'mayEndRoot' | 'enabled'> = { layer: 'sp', mayEndRoot: true, enabled: true };

function settingsOf(given: ServiceProviderReplacement, missing: Pick<Settings, 'layer' | 'mayEndRoot' | 'enabled'>): Settings {
  return {
    name: given.name,
    layer: given.layer ?? missing.layer,
    channels: given.channels.map(configOf),
    saml: null,
    postLogoutRedirectUris: given.postLogoutRedirectUris,
    timeoutMs: given.timeoutMs ?? null,
    maxConcurrency: given.maxConcurrency ?? null,
    maxPerSecond: given.maxPerSecond ?? null,
    mayEndRoot: given.mayEndRoot ?? missing.mayEndRoot,
    enabled: given.enabled ?? missing.enabled,
  };
}

/** What is kept of a channel: without the metadata, which has a place of its own. */
function configOf(channel: ChannelRegistration): ChannelConfig {
  if (channel.type !== 'saml') return channel;
  const { metadataXml: _, ...config } = channel;
  return config;
}

function metadataField(channel: SamlChannelRegistration, at: number): string {
  return `/channels/${at}/${channel.metadataUrl === undefined ? 'metadataXml' : 'metadataUrl'}`;
}

/** Who is told by a protocol is told as the identity provider, which must speak it. */
function sideFaults(idp: IdentityProvider, channels: readonly ChannelConfig[]): Fault[] {
  return channels.flatMap((channel, at) => {
    const side = channel.type === 'saml' ? 'saml' : 'oidc';
    if (idp[side] !== null) return [];
    return [
      { field: `/channels/${at}/type`, seen: channel.type, rule: `needs ${side} at the identity provider ${idp.id}, which has none` },
    ];
  });
}

function refuseOwnGrants(before: ServiceProvider, after: Settings): void {
  const faults = (['layer', 'mayEndRoot', 'enabled'] as const)
    .filter((name) => before[name] !== after[name])
    .map((name) => ({
      field: `/${name}`,
      seen: after[name],
      rule: `must stay ${before[name]}; an administrator or the identity provider may change it`,
    }));
  if (faults.length > 0)
    throw new ExeuntError(
      'forbidden',
      `A service provider may not change its own ${faults.map((fault) => fault.field.slice(1)).join(', ')}`,
      faults,
    );
}

function sameIdp(idp: string, given: string | undefined): Fault[] {
  if (given === undefined || given === idp) return [];
  return [{ field: '/idp', seen: given, rule: `must stay ${idp}: its sessions hang there; delete it and register it anew` }];
}

function algsOf(channels: readonly ChannelConfig[]): SigningAlg[] {
  return [...new Set(channels.flatMap((channel) => (channel.type === 'oidc-backchannel' ? channel.signingAlg : [])))];
}

function unknownIdp(error: unknown, idp: string): unknown {
  if (!(error instanceof ExeuntError) || error.code !== 'not_found') return error;
  return new ExeuntError('not_found', `There is no identity provider ${idp}`, [{ field: '/idp', seen: idp, rule: 'must be registered' }]);
}
