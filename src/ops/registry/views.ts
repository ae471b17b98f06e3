import { z } from 'zod';
import type { ApiKeyInfo } from '#access';
import { idSchema } from '#registry';
import type { Page } from '#platform/paging';
import type { IdentityProvider, LogoutKeyInfo, MetadataStanding, ServiceProvider } from '#registry';
import { samlMetadataView, viewOfSamlMetadata } from './saml-metadata-views.js';

const time = z.iso.datetime();
const jsonObject = z.record(z.string(), z.unknown());

/** An identity provider as it is answered. */
export const identityProviderView = z
  .object({
    id: idSchema,
    name: z.string(),
    oidc: jsonObject.nullable().describe('As registered, with defaults filled in'),
    saml: z
      .looseObject({
        metadataUrl: z.string().optional(),
        entityId: z.string().optional(),
        participantEntityId: z.string(),
        allowSha1: z.boolean(),
        metadata: samlMetadataView,
      })
      .nullable()
      .describe('As registered, with defaults filled in, and what its metadata says'),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'IdentityProvider' });

/** A service provider as it is answered. */
export const serviceProviderView = z
  .object({
    id: idSchema,
    idp: idSchema,
    name: z.string(),
    layer: z.enum(['sp', 'gateway']),
    channels: z.array(jsonObject).describe('As registered, with defaults filled in; without metadata'),
    saml: z.object({ metadata: samlMetadataView }).nullable().describe('What the metadata of its saml channel says'),
    postLogoutRedirectUris: z.array(z.string()),
    timeoutMs: z.int().nullable(),
    maxConcurrency: z.int().nullable(),
    maxPerSecond: z.int().nullable(),
    mayEndRoot: z.boolean(),
    enabled: z.boolean(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'ServiceProvider' });

export const apiKeyMember = z.string().describe('Shown once; only its hash is kept');

/** A new API key. */
export const issuedKeyView = z.object({ id: z.string(), apiKey: apiKeyMember }).meta({ id: 'IssuedApiKey' });

/** An API key without its secret. */
export const apiKeyView = z
  .object({ id: z.string(), createdAt: time, revokedAt: time.nullable().describe('Refused from then on') })
  .meta({ id: 'ApiKey' });

/** The public side of a logout key. */
export const logoutKeyView = z
  .object({
    kid: z.string(),
    use: z.enum(['sig', 'enc']),
    alg: z.string(),
    origin: z.enum(['generated', 'imported']),
    publicJwk: jsonObject,
    createdAt: time.describe('Published from then on'),
    signsFrom: time.describe('Used from then on'),
    retiresAt: time.nullable().describe('No longer published from then on'),
  })
  .meta({ id: 'LogoutKey' });

export const pageView = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item), nextCursor: z.string().optional() });

export type IdentityProviderView = z.output<typeof identityProviderView>;
export type ServiceProviderView = z.output<typeof serviceProviderView>;

/** @param standing of its metadata, where it has a SAML side. */
export function viewOfIdentityProvider(idp: IdentityProvider, standing: MetadataStanding | undefined): IdentityProviderView {
  return {
    id: idp.id,
    name: idp.name,
    oidc: idp.oidc && { ...idp.oidc },
    saml: samlSideOf(idp, standing),
    createdAt: idp.createdAt.toISOString(),
    updatedAt: idp.updatedAt.toISOString(),
  };
}

function samlSideOf({ saml }: IdentityProvider, standing: MetadataStanding | undefined): IdentityProviderView['saml'] {
  if (saml === null) return null;
  const { entity, ...registered } = saml;
  return { ...registered, metadata: viewOfSamlMetadata(entity, standing) };
}

/** @param standing of its metadata, where it has a saml channel. */
export function viewOfServiceProvider(sp: ServiceProvider, standing: MetadataStanding | undefined): ServiceProviderView {
  return {
    id: sp.id,
    idp: sp.idp,
    name: sp.name,
    layer: sp.layer,
    channels: sp.channels.map((channel) => ({ ...channel })),
    saml: sp.saml && { metadata: viewOfSamlMetadata(sp.saml, standing) },
    postLogoutRedirectUris: sp.postLogoutRedirectUris,
    timeoutMs: sp.timeoutMs,
    maxConcurrency: sp.maxConcurrency,
    maxPerSecond: sp.maxPerSecond,
    mayEndRoot: sp.mayEndRoot,
    enabled: sp.enabled,
    createdAt: sp.createdAt.toISOString(),
    updatedAt: sp.updatedAt.toISOString(),
  };
}

export function viewOfApiKey(key: ApiKeyInfo): z.output<typeof apiKeyView> {
  return { id: key.id, createdAt: key.createdAt.toISOString(), revokedAt: key.revokedAt?.toISOString() ?? null };
}

/** Named member by member: nothing that a key gains later is shown by accident. */
export function viewOfLogoutKey(key: LogoutKeyInfo): z.output<typeof logoutKeyView> {
  return {
    kid: key.kid,
    use: key.use,
    alg: key.alg,
    origin: key.origin,
    publicJwk: { ...key.publicJwk },
    createdAt: key.createdAt.toISOString(),
    signsFrom: key.signsFrom.toISOString(),
    retiresAt: key.retiresAt?.toISOString() ?? null,
  };
}

export function viewOfPage<Item, View>(page: Page<Item>, viewOf: (item: Item) => View): { items: View[]; nextCursor?: string } {
  return { items: page.items.map(viewOf), ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }) };
}
