import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ExeuntError } from '#domain';
import type { Clock } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { buildParticipantMetadata, mergeIdpMetadata } from '#protocol/saml';
import type { PublishedParts } from '#protocol/saml';
import { IdentityProviders } from './identity-providers.js';
import { PublicUrl } from './public-url.js';
import { SamlKeys } from './saml-keys.js';
import { mayPass, ShortCache } from './short-cache.js';
import { sloEndpointsOf } from './slo-endpoints.js';
import type { IdentityProvider, SamlIdentity } from './types.js';

/** SAML metadata as it is served. */
export interface PublishedMetadata {
  xml: string;
  etag: string;
}

const FRESH_MS = 2_000;
/** A reader comes this often within the overlap of a rotation, so that one that misses a turn or two still learns of the new key in time. */
const READS_IN_OVERLAP = 4;
const SHORTEST_CACHE_SECONDS = 300;

/** What service providers read instead of the identity provider's metadata, and what the identity provider reads of us. */
@Injectable()
export class PublishedSaml {
  private readonly documents: ShortCache<PublishedMetadata>;

  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly samlKeys: SamlKeys,
    private readonly database: Database,
    private readonly publicUrl: PublicUrl,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.documents = new ShortCache(FRESH_MS, () => clock.now().getTime(), mayPass);
  }

  /**
   * The identity provider's metadata with our certificates and endpoints, signed with the key that signs now.
   * @throws ExeuntError `not_found` for an identity provider that is not there or has no SAML side
   */
  identityProviderMetadata(idpId: string): Promise<PublishedMetadata> {
    return this.documents.get(`idp ${idpId}`, async () => {
      const { saml, parts } = await this.partsOf(idpId);
      const [row] = await this.database.query<{ xml: string }>('SELECT xml FROM saml_metadata WHERE idp_id = $1 AND sp_id IS NULL', [
        idpId,
      ]);
      if (!row) throw noSaml(idpId);
      const { signer } = await this.samlKeys.signerFor(idpId);
      return documentOf(mergeIdpMetadata(row.xml, { ...parts, validUntil: saml.entity.validUntil, signer }));
    });
  }

  /** Our own metadata as a service provider of the identity provider. @throws as {@link identityProviderMetadata} */
  participantMetadata(idpId: string): Promise<PublishedMetadata> {
    return this.documents.get(`sp ${idpId}`, async () => {
      const { saml, parts } = await this.partsOf(idpId);
      const { signer } = await this.samlKeys.signerFor(idpId);
      const assertionConsumerService = `${this.publicUrl.get()}/idps/${encodeURIComponent(idpId)}/saml/acs`;
      return documentOf(buildParticipantMetadata({ ...parts, entityId: saml.participantEntityId, assertionConsumerService, signer }));
    });
  }

  /** This process makes the documents of this identity provider anew. */
  forget(idpId: string): void {
    this.documents.forget((key) => key === `idp ${idpId}` || key === `sp ${idpId}`);
  }

  private async partsOf(idpId: string): Promise<{ saml: SamlIdentity; parts: PublishedParts }> {
    const { saml }: IdentityProvider = await this.identityProviders.get(idpId);
    if (saml === null) throw noSaml(idpId);
    const { signing, encryption } = await this.samlKeys.certificates(idpId);
    const cacheSeconds = Math.max(SHORTEST_CACHE_SECONDS, Math.floor(this.config.keys.rotationOverlapSeconds / READS_IN_OVERLAP));
    const endpoints = sloEndpointsOf(this.publicUrl.get(), idpId);
    return { saml, parts: { signingCertificates: signing, encryptionCertificates: encryption, endpoints, cacheSeconds } };
  }
}

function noSaml(idpId: string): ExeuntError {
  return new ExeuntError('not_found', `The identity provider ${idpId} has no SAML side`);
}

/** Some signatures are random (ECDSA): the same content may have several, which is a new document to nobody but caches. */
function documentOf(xml: string): PublishedMetadata {
  return { xml, etag: `"${createHash('sha256').update(xml).digest('base64url').slice(0, 27)}"` };
}
