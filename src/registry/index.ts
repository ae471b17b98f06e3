export * from './types.js';
export * from './ladder.js';
export { REGISTRY_ENTITIES } from './entities.js';
export { RegistryModule } from './registry.module.js';
export { IdentityProviders } from './identity-providers.js';
export { ServiceProviders } from './service-providers.js';
export { LogoutKeys } from './logout-keys.js';
export type { LogoutKeyInfo, Signer } from './logout-keys.js';
export type { KeyAlg, KeyImport } from './key-material.js';
export { PublishedKeys } from './published-keys.js';
export type { PublishedJwks } from './published-keys.js';
export { PublishedSaml } from './published-saml.js';
export type { PublishedMetadata } from './published-saml.js';
export { SamlKeys } from './saml-keys.js';
export type { SamlCertificates, SamlSigning } from './saml-keys.js';
export type { SamlKeyInfo } from './saml-key-rows.js';
export { SAML_KEY_USES } from './certificates/key-material.js';
export type { SamlKeyUse } from './certificates/key-material.js';
export type { SamlKeyImport } from './certificates/import-material.js';
export { SamlParties } from './saml-parties.js';
export type { SamlParty } from './saml-parties.js';
export { RefreshSamlMetadata } from './metadata/refresh-saml-metadata.js';
export { SamlMetadata } from './metadata/saml-metadata.js';
export type { MetadataOwner, MetadataStanding } from './metadata/metadata-rows.js';
export { PublicUrl } from './public-url.js';
export { sloEndpointsOf } from './slo-endpoints.js';
export { UpstreamKeys } from './upstream-keys.js';
export { EncryptionKeys } from './encryption-keys.js';
export { isRegistryId } from './id.js';
export {
  idSchema,
  identityProviderSchema,
  identityProviderReplacementSchema,
  serviceProviderSchema,
  serviceProviderReplacementSchema,
} from './registration-schemas.js';
export type {
  IdentityProviderRegistration,
  IdentityProviderReplacement,
  ServiceProviderRegistration,
  ServiceProviderReplacement,
} from './registration-schemas.js';
export { loadServiceProviders } from './load-service-providers.js';
