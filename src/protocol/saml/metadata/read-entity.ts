import { NS } from '../terms.js';
import type { SamlEntity } from '../types.js';
import { MetadataRefused } from './metadata-refused.js';
import { least, parseCacheDuration, parseValidUntil } from './metadata-times.js';
import { childrenOf, rootOf } from './metadata-tree.js';
import { readEndpoints } from './read-endpoints.js';
import { readKeys } from './read-keys.js';

/** As what an entity is registered. */
export type SamlRole = 'idp' | 'sp';

/** What those around an EntityDescriptor say of it. Milliseconds. */
export interface MetadataLimits {
  validUntil: number | null;
  cacheDurationMs: number | null;
}

const DESCRIPTOR = { idp: 'IDPSSODescriptor', sp: 'SPSSODescriptor' } as const;
const ENTITY_ID = /^[^\s\p{Cc}\p{Cs}]{1,1024}$/u;

/**
 * What an EntityDescriptor says, in one role, of all that logout needs.
 * @param xml the EntityDescriptor alone, judged by `outlineMetadata`.
 * @throws MetadataRefused
 * @see SLO-70, SLO-72, SLO-73, SLO-74, SLO-75
 */
export function readEntity(xml: string, role: SamlRole, around: MetadataLimits): { entity: SamlEntity; cacheDurationMs: number | null } {
  const root = rootOf(xml);
  const entityId = root.getAttribute('entityID') ?? '';
  if (!ENTITY_ID.test(entityId)) {
    throw new MetadataRefused('document', 'SLO-4', 'must have an entityID of 1 to 1024 characters without white space', entityId);
  }
  const descriptor = descriptorOf(root, role);
  const validUntil = [around.validUntil, ...[root, descriptor].map((one) => parseValidUntil(attributeOf(one, 'validUntil')))].reduce(least);
  const cacheDurations = [root, descriptor].map((one) => parseCacheDuration(attributeOf(one, 'cacheDuration')));
  const entity: SamlEntity = {
    entityId,
    singleLogoutServices: readEndpoints(descriptor),
    ...readKeys(descriptor),
    validUntil: validUntil === null ? null : new Date(validUntil).toISOString(),
  };
  return { entity, cacheDurationMs: [around.cacheDurationMs, ...cacheDurations].reduce(least) };
}

function descriptorOf(root: Element, role: SamlRole): Element {
  const wanted = DESCRIPTOR[role];
  const found = childrenOf(root, NS.md, wanted).find((one) =>
    (one.getAttribute('protocolSupportEnumeration') ?? '').split(/\s+/).includes(NS.samlp),
  );
  if (found) return found;
  const roles = childrenOf(root)
    .map((one) => one.localName)
    .filter((name) => name.endsWith('Descriptor'));
  throw new MetadataRefused('document', 'SLO-70', `must have an ${wanted} of SAML 2.0`, roles.join(', ') || 'no role');
}

function attributeOf(element: Element, name: string): string | undefined {
  return element.hasAttribute(name) ? element.getAttribute(name)! : undefined;
}
