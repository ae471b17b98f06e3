import { Module } from '@nestjs/common';
import { ApiKeysController } from './api-keys.controller.js';
import { IdentityProvidersController } from './identity-providers.controller.js';
import { LogoutKeysController } from './logout-keys.controller.js';
import { PublishedKeysController } from './published-keys.controller.js';
import { PublishedSamlController } from './published-saml.controller.js';
import { SamlKeysController } from './saml-keys.controller.js';
import { SamlMetadataController } from './saml-metadata.controller.js';
import { ServiceProvidersController } from './service-providers.controller.js';

/** The routes of the registry. Needs RegistryModule and AccessModule in the application. */
@Module({
  controllers: [
    IdentityProvidersController,
    ServiceProvidersController,
    ApiKeysController,
    LogoutKeysController,
    PublishedKeysController,
    SamlKeysController,
    PublishedSamlController,
    SamlMetadataController,
  ],
})
export class RegistryApiModule {}
