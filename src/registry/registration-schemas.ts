import { z } from 'zod';
import { MetadataRefused, readKeyCertificate, SAML_BINDINGS } from '#protocol/saml';
import { fitsKeyManagement, publicJwkFault } from './jwk-rules.js';
import { CONTENT_ENCRYPTION_ALGS, KEY_MANAGEMENT_ALGS, SIGNING_ALGS } from './types.js';
import { ID } from './id.js';
import { callableUriFault, issuerFault, redirectUriFault } from './uri-rules.js';

/** Ids that callers choose. */
export const idSchema = z.string().regex(ID).describe('Chosen by the caller; unique');

const nameSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not have control characters');

const uriSchema = (faultOf: (text: string) => string | null) =>
  z
    .string()
    .max(2_048)
    .superRefine((text, context) => {
      const fault = faultOf(text);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    });

const signingAlgSchema = z.enum(SIGNING_ALGS, {
  error: (issue) => (issue.input === 'none' ? `must be one of: ${SIGNING_ALGS.join(', ')}; unsigned tokens are forbidden` : undefined),
});

/** No deeper, and nothing that jsonb cannot hold. */
const jwkTextSchema = z
  .string()
  .max(20_000)
  .regex(/^[^\0\p{Cs}]*$/u, 'must be plain text');
const jwkMemberSchema = z.union([jwkTextSchema, z.array(jwkTextSchema).max(50), z.boolean(), z.number()]);

const jwksSchema = z
  .object({
    keys: z
      .array(
        z.record(z.string(), jwkMemberSchema).superRefine((jwk, context) => {
          const fault = publicJwkFault(jwk);
          if (fault !== null) context.addIssue({ code: 'custom', message: fault });
        }),
      )
      .max(50),
  })
  .describe('JSON Web Key Set of public keys');

const encryptionSchema = z
  .strictObject({
    alg: z.enum(KEY_MANAGEMENT_ALGS),
    enc: z.enum(CONTENT_ENCRYPTION_ALGS),
    jwks: jwksSchema.optional(),
    jwksUri: uriSchema(callableUriFault).optional(),
  })
  .superRefine((encryption, context) => {
    if ((encryption.jwks === undefined) === (encryption.jwksUri === undefined)) {
      context.addIssue({ code: 'custom', path: ['jwks'], message: 'exactly one of jwks and jwksUri is wanted' });
    } else if (encryption.jwks && !encryption.jwks.keys.some((jwk) => fitsKeyManagement(jwk, encryption.alg))) {
      context.addIssue({ code: 'custom', path: ['jwks'], message: `must have a key for ${encryption.alg}` });
    }
  })
  .describe('Logout tokens for this client are encrypted, nested in a JWE');

const oidcBackchannelSchema = z
  .strictObject({
    type: z.literal('oidc-backchannel'),
    clientId: z.string().regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters'),
    uri: uriSchema(callableUriFault).describe('backchannel_logout_uri; called exactly as it is given here'),
    sessionRequired: z.boolean().default(false).describe('backchannel_logout_session_required'),
    signingAlg: signingAlgSchema.default('RS256').describe('id_token_signed_response_alg'),
    tell: z.enum(['session', 'user']).default('session').describe('One message a session (sid and sub), or one a user (sub only)'),
    encryption: encryptionSchema.optional(),
  })
  .superRefine((channel, context) => {
    if (channel.sessionRequired && channel.tell === 'user') {
      context.addIssue({
        code: 'custom',
        path: ['tell'],
        message: 'must be session when sessionRequired is true: one message a user has no sid',
      });
    }
  });

const entityIdSchema = z.string().regex(/^[^\s\p{Cc}\p{Cs}]{1,1024}$/u, 'must be 1 to 1024 characters without white space');

const pinnedCertificateSchema = z
  .string()
  .max(20_000)
  .superRefine((pem, context) => {
    try {
      readKeyCertificate(pem);
    } catch (error) {
      if (!(error instanceof MetadataRefused)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** Where SAML metadata comes from. */
const metadataMembers = {
  metadataXml: z.string().min(1).optional().describe('The document: an EntityDescriptor, or an EntitiesDescriptor with it'),
  metadataUrl: uriSchema(callableUriFault).optional().describe('Where it is fetched from, now and again and again'),
  entityId: entityIdSchema.optional().describe('Which entity of the document is meant; needed where there are several'),
  metadataCertificates: z
    .array(pinnedCertificateSchema)
    .min(1)
    .max(10)
    .optional()
    .describe('Certificates (PEM): the metadata must be signed with the key of one of them'),
  allowSha1: z.boolean().default(false).describe('Signatures with SHA-1 are taken from this peer; only for peers that know nothing else'),
};

function oneSource(given: { metadataXml?: string | undefined; metadataUrl?: string | undefined }, context: z.RefinementCtx): void {
  if ((given.metadataXml === undefined) === (given.metadataUrl === undefined)) {
    context.addIssue({ code: 'custom', path: ['metadataXml'], message: 'exactly one of metadataXml and metadataUrl is wanted' });
  }
}

function atMostOneSource(given: { metadataXml?: string | undefined; metadataUrl?: string | undefined }, context: z.RefinementCtx): void {
  if (given.metadataXml !== undefined && given.metadataUrl !== undefined) oneSource(given, context);
}

const samlChannelMembers = z.strictObject({
  type: z.literal('saml'),
  ...metadataMembers,
  bindings: z
    .array(z.enum(SAML_BINDINGS))
    .min(1)
    .max(SAML_BINDINGS.length)
    .refine((bindings) => new Set(bindings).size === bindings.length, 'must have each binding once')
    .default([...SAML_BINDINGS])
    .describe('In order of preference; those that its metadata has no endpoint for are passed over'),
  encryptNameId: z.boolean().default(false).describe('The NameID is sent encrypted; needs an encryption key in its metadata'),
  asynchronous: z
    .boolean()
    .default(false)
    .describe(
      'Through the browser it is asked for no answer, where its metadata has aslo:supportsAsynchronous; the outcome is then attempted',
    ),
});
const samlChannelSchema = samlChannelMembers.superRefine(oneSource);
/** A document that was uploaded need not be uploaded again. */
const samlChannelReplacementSchema = samlChannelMembers.superRefine(atMostOneSource);

const AVAILABLE_CHANNELS = ['oidc-backchannel', 'saml'];

const unavailable = {
  error: (issue: { code?: string | undefined }) =>
    issue.code === 'invalid_union' ? `is not available in this version; available: ${AVAILABLE_CHANNELS.join(', ')}` : undefined,
};
const channelSchema = z.discriminatedUnion('type', [oidcBackchannelSchema, samlChannelSchema], unavailable);
const channelReplacementSchema = z.discriminatedUnion('type', [oidcBackchannelSchema, samlChannelReplacementSchema], unavailable);

const oidcSchema = z
  .strictObject({
    issuer: uriSchema(issuerFault).describe('iss of its tokens, byte for byte'),
    jwksUri: uriSchema(callableUriFault).optional().describe('Where its keys are; without it and jwks, found by discovery'),
    jwks: jwksSchema.optional(),
    audience: z
      .string()
      .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
      .optional()
      .describe('Our client_id at this provider: aud of its logout tokens to us'),
    signingAlg: signingAlgSchema.default('RS256').describe('The one algorithm of its logout tokens to us'),
    allowMissingExp: z.boolean().default(false).describe('It sends logout tokens without exp, as was right before errata set 1'),
    encryption: z
      .strictObject({ alg: z.enum(KEY_MANAGEMENT_ALGS), enc: z.enum(CONTENT_ENCRYPTION_ALGS) })
      .optional()
      .describe('Its logout tokens to us are encrypted with keys at /idps/{id}/rp-jwks.json'),
  })
  .superRefine((oidc, context) => {
    if (oidc.jwks !== undefined && oidc.jwksUri !== undefined) {
      context.addIssue({ code: 'custom', path: ['jwks'], message: 'must not be given together with jwksUri' });
    }
  });

const samlSideMembers = z.strictObject({
  ...metadataMembers,
  participantEntityId: entityIdSchema
    .optional()
    .describe('Our entityID as a service provider of it. Default: the URL of our metadata, /idps/{id}/saml/sp-metadata'),
  metadata: z.unknown().optional().describe('As GET answers it; passed over'),
});

const samlSideSchema = (judgeSource: typeof oneSource) =>
  samlSideMembers.superRefine(judgeSource).transform(({ metadata: _, ...registered }) => registered);

const sides = (judgeSource: typeof oneSource) => ({
  oidc: oidcSchema.nullish().describe('Its OpenID Connect side; at least one of oidc and saml is wanted'),
  saml: samlSideSchema(judgeSource).nullish().describe('Its SAML side; at least one of oidc and saml is wanted'),
});

function oneSide(given: { oidc?: unknown; saml?: unknown }, context: z.RefinementCtx): void {
  if (given.oidc == null && given.saml == null) {
    context.addIssue({ code: 'custom', path: ['oidc'], message: 'is required, unless saml is given: at least one of the two' });
  }
}

/** Body of `POST /v1/identity-providers`. */
export const identityProviderSchema = z
  .strictObject({ id: idSchema, name: nameSchema, ...sides(oneSource) })
  .superRefine(oneSide)
  .meta({ id: 'IdentityProviderRegistration' });

/** What GET answers may be changed and put back: what we alone say is passed over. */
const TIMES_PASSED_OVER = {
  createdAt: z.unknown().optional().describe('As GET answers it; passed over'),
  updatedAt: z.unknown().optional().describe('As GET answers it; passed over'),
};

/** Body of `PUT /v1/identity-providers/{id}`: all of it anew. */
export const identityProviderReplacementSchema = z
  .strictObject({ id: idSchema.optional(), name: nameSchema, ...sides(atMostOneSource), ...TIMES_PASSED_OVER })
  .superRefine(oneSide)
  .meta({ id: 'IdentityProviderReplacement' });

const channelsSchema = <Channel extends z.ZodType<{ type: string }>>(channel: Channel) =>
  z
    .array(channel)
    .max(8)
    .superRefine((channels, context) => {
      const [, second] = channels.flatMap(({ type }, at) => (type === 'saml' ? [at] : []));
      if (second !== undefined) context.addIssue({ code: 'custom', path: [second, 'type'], message: 'must not be saml a second time' });
    })
    .describe('In order of preference; empty: it cannot be told, and its deliveries are skipped');

const serviceProviderMembers = {
  name: nameSchema,
  layer: z.enum(['sp', 'gateway']).optional().describe('`gateway`: applications hang on its sessions. Default: sp'),
  postLogoutRedirectUris: z
    .array(uriSchema(redirectUriFault))
    .max(100)
    .default([])
    .describe('Compared as they are, character by character'),
  timeoutMs: z.int().min(100).nullish().describe('Longest attempt, in milliseconds; bounded by dispatch.attemptTimeoutLimitMs'),
  maxConcurrency: z.int().min(1).max(1_000).nullish().describe('Attempts at a time'),
  maxPerSecond: z.int().min(1).max(100_000).nullish().describe('Attempts a second'),
  mayEndRoot: z.boolean().optional().describe('A logout it starts may end the session at the identity provider. Default: true'),
  enabled: z.boolean().optional().describe('false: it is not told, its deliveries are skipped. Default: true'),
};

/** Body of `POST /v1/service-providers`. */
export const serviceProviderSchema = z
  .strictObject({ id: idSchema, idp: idSchema, ...serviceProviderMembers, channels: channelsSchema(channelSchema) })
  .meta({ id: 'ServiceProviderRegistration' });

/** Body of `PUT /v1/service-providers/{id}`: all of it anew. */
export const serviceProviderReplacementSchema = z
  .strictObject({
    id: idSchema.optional(),
    idp: idSchema.optional(),
    ...serviceProviderMembers,
    channels: channelsSchema(channelReplacementSchema),
    saml: z.unknown().optional().describe('As GET answers it; passed over: its metadata comes with the channel'),
    ...TIMES_PASSED_OVER,
  })
  .meta({ id: 'ServiceProviderReplacement' });

export type IdentityProviderRegistration = z.output<typeof identityProviderSchema>;
export type IdentityProviderReplacement = z.output<typeof identityProviderReplacementSchema>;
export type ServiceProviderRegistration = z.output<typeof serviceProviderSchema>;
export type ServiceProviderReplacement = z.output<typeof serviceProviderReplacementSchema>;

/** A `saml` channel as it is registered. */
export type SamlChannelRegistration = Extract<ServiceProviderRegistration['channels'][number], { type: 'saml' }>;
/** The SAML side of an identity provider as it is registered. */
export type SamlSideRegistration = NonNullable<IdentityProviderRegistration['saml']>;
