import { z } from 'zod';
import { SAML_KEY_USES } from '#registry';
import type { SamlKeyInfo } from '#registry';

const time = z.iso.datetime();

/** The public side of a SAML key. */
export const samlKeyView = z
  .object({
    fingerprint: z.string().describe('SHA-256 of the certificate, hexadecimal'),
    use: z.enum(SAML_KEY_USES),
    origin: z.enum(['generated', 'imported']),
    certificate: z.string().describe('PEM'),
    subject: z.string(),
    notBefore: time,
    notAfter: time,
    createdAt: time.describe('Published from then on'),
    signsFrom: time.describe('Used from then on'),
    retiresAt: time.nullable().describe('No longer published nor used from then on'),
  })
  .meta({ id: 'SamlKey' });

/** Named member by member: nothing that a key gains later is shown by accident. */
export function viewOfSamlKey(key: SamlKeyInfo): z.output<typeof samlKeyView> {
  return {
    fingerprint: key.fingerprint,
    use: key.use,
    origin: key.origin,
    certificate: key.certificate,
    subject: key.subject,
    notBefore: key.notBefore.toISOString(),
    notAfter: key.notAfter.toISOString(),
    createdAt: key.createdAt.toISOString(),
    signsFrom: key.signsFrom.toISOString(),
    retiresAt: key.retiresAt?.toISOString() ?? null,
  };
}
