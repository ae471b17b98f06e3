import { z } from 'zod';
import { pageSchema } from '#platform/paging';
import { idSchema, KEY_MANAGEMENT_ALGS, SIGNING_ALGS } from '#registry';

/** Query of `GET /v1/service-providers`. */
export const serviceProviderListSchema = pageSchema.extend({ idp: idSchema.optional().describe('Only those of this identity provider') });

const YEAR_SECONDS = 366 * 86_400;

/** Body of `POST .../api-keys`; may be left out. */
export const newApiKeySchema = z
  .strictObject({
    revokeOthersAfterSeconds: z
      .int()
      .min(0)
      .max(YEAR_SECONDS)
      .optional()
      .describe('The other keys are refused after so long; 0: at once. Left out: they stay valid'),
  })
  .prefault({})
  .meta({ id: 'NewApiKey' });

/** Body of `POST .../keys`. */
export const keyImportSchema = z
  .strictObject({
    jwk: z.record(z.string(), z.unknown()).optional().describe('Private JWK: RSA, EC P-256 or Ed25519'),
    pem: z.string().max(20_000).optional().describe('Private key in PEM: PKCS#8, SEC 1 or PKCS#1, not encrypted'),
    kid: z
      .string()
      .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable ASCII characters without spaces')
      .optional()
      .describe('Default: that of the JWK, else the thumbprint (RFC 7638)'),
    alg: z.enum(SIGNING_ALGS).optional().describe('Default: that of the JWK, else what the kind of key says (RSA: RS256)'),
  })
  .superRefine((body, context) => {
    if ((body.jwk === undefined) === (body.pem === undefined)) {
      context.addIssue({ code: 'custom', path: ['jwk'], message: 'exactly one of jwk and pem is wanted' });
    }
  })
  .meta({ id: 'KeyImport' });

/** Body of `POST .../keys/rotate`; may be left out. */
export const keyRotationSchema = z
  .strictObject({
    alg: z
      .enum([...SIGNING_ALGS, ...KEY_MANAGEMENT_ALGS])
      .optional()
      .describe('Default: every signing algorithm it has a key for'),
    overlapSeconds: z
      .int()
      .min(0)
      .max(YEAR_SECONDS)
      .optional()
      .describe('Default: keys.rotationOverlapSeconds. 0: the old key is gone and the new one signs, at once'),
  })
  .prefault({})
  .meta({ id: 'KeyRotation' });

export type ServiceProviderListQuery = z.output<typeof serviceProviderListSchema>;
export type NewApiKeyBody = z.output<typeof newApiKeySchema>;
export type KeyImportBody = z.output<typeof keyImportSchema>;
export type KeyRotationBody = z.output<typeof keyRotationSchema>;
