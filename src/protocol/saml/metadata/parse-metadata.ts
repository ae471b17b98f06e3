import type { SamlEntity } from '../types.js';
import { cutEntity } from './cut-entity.js';
import { MetadataRefused } from './metadata-refused.js';
import { least } from './metadata-times.js';
import { outlineMetadata } from './outline-metadata.js';
import type { FoundEntity, MetadataOutline } from './outline-metadata.js';
import { readEntity } from './read-entity.js';
import type { SamlRole } from './read-entity.js';
import { verifyMetadataSignature } from './verify-metadata-signature.js';
import type { MetadataTrust } from './verify-metadata-signature.js';

/** What is wanted of a document. */
export interface MetadataWish {
  role: SamlRole;
  /** Which entity of it; left out: it must have only one. */
  entityId?: string | undefined;
  /** PEM: it must be signed with the key of one of these. Left out: who handed it over is believed. */
  certificates?: readonly string[] | undefined;
  now: Date;
  /** Its signature may be rsa-sha1. @see SLO-84 */
  allowSha1?: boolean | undefined;
}

/** An entity of a document, in one role. */
export interface ParsedMetadata {
  entity: SamlEntity;
  /** Its EntityDescriptor as a document of its own. Where a signature was asked for, exactly what was signed. */
  xml: string;
  /** How long it may be used without looking for a newer one; null when the document does not say. Milliseconds. */
  cacheDurationMs: number | null;
}

/** How much time it may take at one go. */
export interface MetadataEffort {
  /** Called every few milliseconds of work. */
  pause(): Promise<void>;
  /** As `verifyMetadataSignature`; of a large document somewhere else. @throws MetadataRefused */
  verifySignature(xml: string, trust: MetadataTrust): Promise<string>;
}

const AT_ONE_GO: MetadataEffort = {
  pause: () => Promise.resolve(),
  verifySignature: (xml, trust) => Promise.resolve().then(() => verifyMetadataSignature(xml, trust)),
};

/**
 * Reads one entity out of a metadata document: an EntityDescriptor, or an EntitiesDescriptor (nested ones, too).
 *
 * With certificates the signature may be over the whole document or over the EntityDescriptor alone; if the document is signed, it is that
 * signature that counts. From there on only the canonical octets that were verified are read, and they are searched anew: what the
 * unverified text said of the entity is forgotten, but for an earlier validUntil around it.
 * @throws MetadataRefused
 * @see SLO-70 to SLO-75, SLO-82 to SLO-87
 */
export async function parseMetadata(text: string, wish: MetadataWish, effort: MetadataEffort = AT_ONE_GO): Promise<ParsedMetadata> {
  const xml = text.replace(/^\uFEFF/, '');
  const outline = await outlineIn(xml, wish, effort);
  const found = chosenOf(outline, wish.entityId);
  const { text: own, entity: limits } = wish.certificates
    ? await verifiedEntity(xml, outline, found, { certificates: wish.certificates, allowSha1: wish.allowSha1 ?? false }, wish, effort)
    : { text: cutEntity(xml, found), entity: found };
  const { entity, cacheDurationMs } = readEntity(own, wish.role, limits);
  if (entity.validUntil !== null && Date.parse(entity.validUntil) <= wish.now.getTime()) {
    throw new MetadataRefused('document', 'SLO-75', 'must be valid still', `validUntil ${entity.validUntil}`);
  }
  return { entity, xml: own, cacheDurationMs };
}

async function verifiedEntity(
  xml: string,
  outline: MetadataOutline,
  found: FoundEntity,
  trust: MetadataTrust,
  wish: MetadataWish,
  effort: MetadataEffort,
): Promise<{ text: string; entity: FoundEntity }> {
  if (!outline.rootSigned && !found.signed) {
    throw new MetadataRefused(
      'document',
      'SLO-75',
      'must be signed, for certificates were given that it must be signed with',
      'no signature',
    );
  }
  const signed = await effort.verifySignature(outline.rootSigned ? xml : cutEntity(xml, found), trust);
  const again = await outlineIn(signed, { ...wish, entityId: found.entityId }, effort);
  const entity = chosenOf(again, found.entityId);
  const around = {
    validUntil: least(entity.validUntil, found.validUntil),
    cacheDurationMs: least(entity.cacheDurationMs, found.cacheDurationMs),
  };
  return { text: withSchemaTypes(cutEntity(signed, entity)), entity: { ...entity, ...around } };
}

async function outlineIn(xml: string, wish: Pick<MetadataWish, 'entityId'>, effort: MetadataEffort): Promise<MetadataOutline> {
  const steps = outlineMetadata(xml, wish.entityId);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await effort.pause();
  }
}

function chosenOf({ entity, count, firstIds }: MetadataOutline, wanted: string | undefined): FoundEntity {
  if (entity && (wanted !== undefined || count === 1)) return entity;
  if (count === 0) throw new MetadataRefused('document', 'SLO-75', 'must have an EntityDescriptor');
  const named = `${firstIds.join(', ')}${count > firstIds.length ? ` and ${count - firstIds.length} more` : ''}`;
  if (wanted === undefined)
    throw new MetadataRefused('entityId', 'SLO-75', `must say which of the ${count} entities of the document is meant: ${named}`);
  throw new MetadataRefused('entityId', 'SLO-75', `must be an entityID of the document, which has ${named}`, wanted);
}

const SCHEMA = 'http://www.w3.org/2001/XMLSchema';

/**
 * Exclusive canonicalization leaves out declarations of prefixes that only values use, as in xsi:type="xs:string" of entity attributes.
 * Whoever reads the entity with a schema needs them; these two prefixes mean the same everywhere.
 */
function withSchemaTypes(xml: string): string {
  const missing = ['xs', 'xsd'].filter((prefix) => new RegExp(`["']${prefix}:`).test(xml) && !xml.includes(`xmlns:${prefix}=`));
  const name = /^<[^\s/>]+/.exec(xml)![0];
  return `${name}${missing.map((prefix) => ` xmlns:${prefix}="${SCHEMA}"`).join('')}${xml.slice(name.length)}`;
}
