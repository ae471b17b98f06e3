import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EncryptionKeys } from './encryption-keys.js';
import { REGISTRY_ENTITIES } from './entities.js';
import { IdentityProviders } from './identity-providers.js';
import { LogoutKeys } from './logout-keys.js';
import { ImportMetadata } from './metadata/import-metadata.js';
import { RefreshSamlMetadata } from './metadata/refresh-saml-metadata.js';
import { SamlMetadata } from './metadata/saml-metadata.js';
import { SignatureThread } from './metadata/signature-thread.js';
import { PublicUrl } from './public-url.js';
import { PublishedKeys } from './published-keys.js';
import { PublishedSaml } from './published-saml.js';
import { SamlParties } from './saml-parties.js';
import { SamlKeys } from './saml-keys.js';
import { ServiceProviders } from './service-providers.js';
import { UpstreamKeys } from './upstream-keys.js';

const PROVIDERS = [
  IdentityProviders,
  ServiceProviders,
  LogoutKeys,
  PublishedKeys,
  UpstreamKeys,
  EncryptionKeys,
  SamlKeys,
  PublishedSaml,
  PublicUrl,
  SignatureThread,
  ImportMetadata,
  SamlMetadata,
  RefreshSamlMetadata,
  SamlParties,
];

/** Identity providers, service providers, their keys. The platform provides database, egress and master key. */
@Global()
@Module({ imports: [TypeOrmModule.forFeature(REGISTRY_ENTITIES)], providers: PROVIDERS, exports: PROVIDERS })
export class RegistryModule {}
