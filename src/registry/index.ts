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
