import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { ExeuntError, isExeuntError, messageOf } from '#domain';
import type { Clock } from '#domain';
import { CLOCK, CONFIG, LOGGER } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { Egress } from '#platform/egress';
import { Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import { loadServiceProviders } from '../load-service-providers.js';
import { IdentityProviders } from '../identity-providers.js';
import type { SamlConfig, SamlIdentity } from '../types.js';
import { ImportMetadata } from './import-metadata.js';
import { judgeIdpMetadata, judgeSpMetadata } from './judge-metadata.js';
import type { ImportedMetadata, MetadataOwner } from './metadata-rows.js';
import { nextRefresh, nextTry } from './metadata-schedule.js';
import { sourceOf } from './metadata-source.js';
import type { MetadataMembers } from './metadata-source.js';
import { findTask, leaseDue, recordFailure, recordRefreshed, recordUnchanged } from './refresh-rows.js';
import type { RefreshTask } from './refresh-rows.js';

/** Longer than the fetch and the verification of a large document can take together. Milliseconds. */
const LEASE_MS = 5 * 60_000;
const LONGEST_ERROR = 1_000;

/** As what a document is registered, and until when the one that is there may be used. */
interface Registered {
  members: MetadataMembers;
  validUntil: string | null;
  judge(metadata: ImportedMetadata): Promise<void>;
}

/**
 * Fetches metadata that is registered by its URL again and again. A document that cannot be had, or fails the checks that it passed at
 * registration (its signature, its entityID, its validity), changes nothing: the old one stays in use until its own validUntil.
 * @see SLO-75, SLO-95
 */
@Injectable()
export class RefreshSamlMetadata implements BeforeApplicationShutdown {
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly importMetadata: ImportMetadata,
    private readonly identityProviders: IdentityProviders,
    private readonly egress: Egress,
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Takes those that are due one after the other, until none is left. Any number of workers may do it at once. */
  async refreshDue(): Promise<number> {
    for (let done = 0; ; done++) {
      const now = this.clock.now();
      const task = this.stopping ? null : await leaseDue(now, new Date(now.getTime() + LEASE_MS), this.database);
      if (task === null) return done;
      await this.refresh(task).catch((error: unknown) => this.log.warn(this.named(task, error), 'SAML metadata could not be refreshed'));
    }
  }

  /**
   * Fetches that of one party now.
   * @throws ExeuntError `not_found`, `conflict` when it was uploaded, `validation`, `refused_address` or `bad_upstream` for what is not taken;
   *   that is kept with the metadata, too
   */
  async refreshNow(owner: MetadataOwner): Promise<void> {
    const task = await findTask(owner, this.database);
    if (task === null) {
      throw new ExeuntError('conflict', 'The metadata was uploaded and has no URL to fetch it from; upload it anew with PUT');
    }
    await this.refresh(task);
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  private async refresh(task: RefreshTask): Promise<void> {
    try {
      const changed = await this.take(task);
      this.metrics.samlMetadataRefreshed(changed ? 'changed' : 'unchanged');
    } catch (error) {
      // A database that is away says nothing of the document; the lease passes.
      if (!isExeuntError(error) || error.code === 'unavailable') throw error;
      const refreshAt = nextTry(this.clock.now(), task.failures + 1, this.floorMs(), Math.random());
      await recordFailure(task, reasonOf(error).slice(0, LONGEST_ERROR), refreshAt, this.database);
      this.metrics.samlMetadataRefreshed('failed');
      throw error;
    }
  }

  /** @returns whether there is a newer one */
  private async take(task: RefreshTask): Promise<boolean> {
    const registered = await this.registeredAs(task);
    if (registered === null) return false;
    // One entity of one name: a document that is somebody else's now is not taken.
    const source = { ...sourceOf(task.spId === null ? 'idp' : 'sp', registered.members), url: task.url, entityId: task.entityId };
    const field = task.spId === null ? '/saml' : '/channels';
    const isOver = registered.validUntil !== null && Date.parse(registered.validUntil) <= this.clock.now().getTime();
    const metadata = await this.importMetadata.read(source, field, isOver ? null : task.etag);
    const now = this.clock.now();
    if (metadata === null) {
      const document = { validUntil: registered.validUntil, cacheDurationMs: null };
      await recordUnchanged(task, nextRefresh(now, document, this.floorMs(), Math.random()), now, this.database);
      return false;
    }
    await registered.judge(metadata);
    await this.database.transaction((sql) => recordRefreshed(task, metadata, sql));
    return true;
  }

  /** Null: it was registered otherwise meanwhile. */
  private async registeredAs({ idpId, spId, url }: RefreshTask): Promise<Registered | null> {
    const saml = (await this.identityProviders.find(idpId))?.saml ?? null;
    if (saml === null) return null;
    return spId === null ? this.asIdp(saml, url) : this.asSp(spId, saml, url);
  }

  private asIdp(saml: SamlIdentity, url: string): Registered | null {
    if (saml.metadataUrl !== url) return null;
    const judge = ({ entity }: ImportedMetadata) => judgeIdpMetadata(this.egress, entity, saml.participantEntityId, '/saml/metadataUrl');
    return { members: saml, validUntil: saml.entity.validUntil, judge };
  }

  private async asSp(spId: string, idp: SamlIdentity, url: string): Promise<Registered | null> {
    const sp = (await loadServiceProviders(this.database, [spId])).get(spId);
    const at = sp?.channels.findIndex((channel) => channel.type === 'saml' && channel.metadataUrl === url) ?? -1;
    if (sp === undefined || at < 0) return null;
    const channel = sp.channels[at] as SamlConfig;
    const fields = { channel: `/channels/${at}`, metadata: `/channels/${at}/metadataUrl` };
    const judge = ({ entity }: ImportedMetadata) => judgeSpMetadata(this.egress, channel, entity, idp, fields);
    return { members: channel, validUntil: sp.saml?.validUntil ?? null, judge };
  }

  private floorMs(): number {
    return this.config.saml.metadataRefreshSeconds * 1_000;
  }

  private named({ idpId, spId, url, failures }: RefreshTask, error: unknown): Record<string, unknown> {
    return { idp: idpId, ...(spId === null ? {} : { sp: spId }), url, failures: failures + 1, error: reasonOf(error) };
  }
}

/** What is wrong, with the value seen: a person reads it who was not there. */
function reasonOf(error: unknown): string {
  if (!isExeuntError(error) || error.faults.length === 0) return messageOf(error);
  return error.faults.map(({ rule, seen }) => (seen === undefined ? rule : `${rule}; seen: ${JSON.stringify(seen)}`)).join('. ');
}
