import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { SamlEntity } from '#protocol/saml';
import type { MetadataStanding } from '#registry';

const time = z.iso.datetime();
const certificateView = z.object({
  fingerprint: z.string().describe('SHA-256 of the certificate, hexadecimal'),
  subject: z.string(),
  notAfter: time.describe('Of the certificate; it says nothing of whether the key is believed'),
});

/** What is kept of a party's SAML metadata. The document itself is at `.../saml/metadata`. */
export const samlMetadataView = z
  .object({
    entityId: z.string(),
    singleLogoutServices: z.array(
      z.object({
        binding: z.enum(['soap', 'redirect', 'post']),
        location: z.string(),
        responseLocation: z.string().optional(),
        supportsAsynchronous: z.boolean().optional(),
      }),
    ),
    signingCertificates: z.array(certificateView),
    encryptionCertificates: z.array(certificateView),
    validUntil: time.nullable().describe('After this it is not used any more'),
    fetchedAt: time.nullable(),
    refreshAt: time.nullable().describe('When it is fetched again; null when it was uploaded'),
    refreshFailures: z.int().describe('Fetches in a row that brought nothing that is taken'),
    refreshError: z.string().nullable().describe('Why the last one did not; what is above stays in use until validUntil'),
  })
  .meta({ id: 'SamlMetadata' });

export type SamlMetadataView = z.output<typeof samlMetadataView>;

export function viewOfSamlMetadata(entity: SamlEntity, standing: MetadataStanding | undefined): SamlMetadataView {
  return {
    entityId: entity.entityId,
    singleLogoutServices: entity.singleLogoutServices,
    signingCertificates: entity.signingCertificates.map(viewOfCertificate),
    encryptionCertificates: entity.encryptionKeys.map((key) => viewOfCertificate(key.certificate)),
    validUntil: entity.validUntil,
    fetchedAt: standing?.fetchedAt.toISOString() ?? null,
    refreshAt: standing?.refreshAt?.toISOString() ?? null,
    refreshFailures: standing?.refreshFailures ?? 0,
    refreshError: standing?.refreshError ?? null,
  };
}

function viewOfCertificate(pem: string): z.output<typeof certificateView> {
  const certificate = new X509Certificate(pem);
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject.replaceAll('\n', ', '),
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}
