import { z } from 'zod';
import { SAML_KEY_USES } from '#registry';

const YEAR_SECONDS = 366 * 86_400;
const overlapSeconds = z.int().min(0).max(YEAR_SECONDS).optional();
const use = z.enum(SAML_KEY_USES).default('signing').describe('What the certificate is for: to sign, or for peers to encrypt NameIDs to');

/** Body of `POST .../saml-keys`. */
export const samlKeyImportSchema = z
  .strictObject({
    use,
    pem: z
      .string()
      .max(100_000)
      .optional()
      .describe(
        'Certificate and private key in PEM, one after the other, the key not encrypted. Signing: RSA or EC P-256; encryption: RSA',
      ),
    pkcs12: z.string().max(500_000).optional().describe('A PKCS#12 file (.p12, .pfx) in base64'),
    password: z.string().max(1_000).optional().describe('Of the PKCS#12 file'),
    overlapSeconds: overlapSeconds.describe(
      'It signs when so long has passed, so that service providers have read it by then. Default: 0, at once',
    ),
  })
  .superRefine((body, context) => {
    if ((body.pem === undefined) === (body.pkcs12 === undefined)) {
      context.addIssue({ code: 'custom', path: ['pem'], message: 'exactly one of pem and pkcs12 is wanted' });
    }
    if (body.password !== undefined && body.pkcs12 === undefined) {
      context.addIssue({ code: 'custom', path: ['password'], message: 'is for pkcs12 only; a key in PEM must not be encrypted' });
    }
  })
  .meta({ id: 'SamlKeyImport' });

/** Body of `POST .../saml-keys/rotate`; may be left out. */
export const samlKeyRotationSchema = z
  .strictObject({
    use,
    overlapSeconds: overlapSeconds.describe(
      'Default: keys.rotationOverlapSeconds. 0: the old certificates are gone and the new one is used, at once',
    ),
  })
  .prefault({})
  .meta({ id: 'SamlKeyRotation' });

export type SamlKeyImportBody = z.output<typeof samlKeyImportSchema>;
export type SamlKeyRotationBody = z.output<typeof samlKeyRotationSchema>;
