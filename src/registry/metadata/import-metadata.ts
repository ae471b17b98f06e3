import { Inject, Injectable } from '@nestjs/common';
import { ExeuntError } from '#domain';
import type { Clock, Fault } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Egress } from '#platform/egress';
import { MetadataRefused, parseMetadata } from '#protocol/saml';
import type { MetadataField, ParsedMetadata } from '#protocol/saml';
import { fetchMetadata } from './fetch-metadata.js';
import type { ImportedMetadata } from './metadata-rows.js';
import { nextRefresh } from './metadata-schedule.js';
import type { MetadataSource } from './metadata-source.js';
import { SignatureThread } from './signature-thread.js';

/** Reads metadata, from an upload or from its URL: without holding up others, however large it is. */
@Injectable()
export class ImportMetadata {
  constructor(
    private readonly egress: Egress,
    private readonly thread: SignatureThread,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @param field JSON pointer of the part of the request that the source stands in, e.g. `/channels/0`.
   * @param known ETag of the document that is there already; null is answered when it still is that one.
   * @throws ExeuntError `validation` for a document that is not taken, `refused_address` or `bad_upstream` when it cannot be fetched
   */
  async read(source: MetadataSource, field: string): Promise<ImportedMetadata>;
  async read(source: MetadataSource, field: string, known: string | null): Promise<ImportedMetadata | null>;
  async read(source: MetadataSource, field: string, known: string | null = null): Promise<ImportedMetadata | null> {
    const fetched = source.url === undefined ? { xml: source.xml ?? '', etag: null } : await this.fetch(source.url, field, known);
    if (fetched === null) return null;
    const now = this.clock.now();
    const parsed = await this.parse(fetched.xml, source, field, now);
    return {
      entity: parsed.entity,
      xml: parsed.xml,
      url: source.url ?? null,
      etag: fetched.etag,
      fetchedAt: now,
      refreshAt: source.url === undefined ? null : this.nextRefresh(now, parsed.entity.validUntil, parsed.cacheDurationMs),
    };
  }

  private nextRefresh(now: Date, validUntil: string | null, cacheDurationMs: number | null): Date {
    return nextRefresh(now, { validUntil, cacheDurationMs }, this.config.saml.metadataRefreshSeconds * 1_000, Math.random());
  }

  private fetch(url: string, field: string, etag: string | null) {
    return fetchMetadata(this.egress, { url, field: `${field}/metadataUrl`, etag, limitBytes: this.config.saml.metadataLimitBytes });
  }

  private async parse(xml: string, source: MetadataSource, field: string, now: Date): Promise<ParsedMetadata> {
    const { role, entityId, certificates, allowSha1 } = source;
    try {
      return await parseMetadata(
        xml,
        { role, entityId, certificates, allowSha1, now },
        {
          pause: () => new Promise((resolve) => setImmediate(resolve)),
          verifySignature: (text, trust) => this.thread.verify(text, trust),
        },
      );
    } catch (error) {
      if (!(error instanceof MetadataRefused)) throw error;
      throw notTaken(error, `${field}/${memberOf(error.field, source)}`);
    }
  }
}

function notTaken(error: MetadataRefused, field: string): ExeuntError {
  const fault: Fault = { field, ...(error.seen === undefined ? {} : { seen: error.seen }), rule: error.rule };
  return new ExeuntError('validation', `The metadata is not taken: ${error.message}`, [fault], { cause: error });
}

function memberOf(field: MetadataField, source: MetadataSource): string {
  switch (field) {
    case 'document':
      return source.url === undefined ? 'metadataXml' : 'metadataUrl';
    case 'entityId':
      return 'entityId';
    case 'certificates':
      return 'metadataCertificates';
  }
}
