import { z } from 'zod';
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

const AVAILABLE_CHANNELS = ['oidc-backchannel'];

const channelSchema = z.discriminatedUnion('type', [oidcBackchannelSchema], {
  error: (issue) =>
    issue.code === 'invalid_union' ? `is not available in this version; available: ${AVAILABLE_CHANNELS.join(', ')}` : undefined,
});

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

const samlSchema = z
  .unknown()
  .refine((value) => value === undefined || value === null, 'SAML identity providers are not available in this version; available: oidc')
  .optional()
  .describe('Not available in this version');

/** Body of `POST /v1/identity-providers`. */
export const identityProviderSchema = z
  .strictObject({ id: idSchema, name: nameSchema, oidc: oidcSchema, saml: samlSchema })
  .meta({ id: 'IdentityProviderRegistration' });

/** Body of `PUT /v1/identity-providers/{id}`: all of it anew. */
export const identityProviderReplacementSchema = z
  .strictObject({ id: idSchema.optional(), name: nameSchema, oidc: oidcSchema, saml: samlSchema })
  .meta({ id: 'IdentityProviderReplacement' });

const serviceProviderMembers = {
  name: nameSchema,
  layer: z.enum(['sp', 'gateway']).optional().describe('`gateway`: applications hang on its sessions. Default: sp'),
  channels: z.array(channelSchema).max(8).describe('In order of preference; empty: it cannot be told, and its deliveries are skipped'),
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
  .strictObject({ id: idSchema, idp: idSchema, ...serviceProviderMembers })
  .meta({ id: 'ServiceProviderRegistration' });

/** Body of `PUT /v1/service-providers/{id}`: all of it anew. */
export const serviceProviderReplacementSchema = z
  .strictObject({ id: idSchema.optional(), idp: idSchema.optional(), ...serviceProviderMembers })
  .meta({ id: 'ServiceProviderReplacement' });

export type IdentityProviderRegistration = z.output<typeof identityProviderSchema>;
export type IdentityProviderReplacement = z.output<typeof identityProviderReplacementSchema>;
export type ServiceProviderRegistration = z.output<typeof serviceProviderSchema>;
export type ServiceProviderReplacement = z.output<typeof serviceProviderReplacementSchema>;
