export * from './types.js';
export * from './terms.js';
export * from './saml-message-refused.js';
export { mergeIdpMetadata } from './metadata/merge-idp-metadata.js';
export type { MetadataAdditions } from './metadata/merge-idp-metadata.js';
export { buildParticipantMetadata } from './metadata/build-participant-metadata.js';
export type { ParticipantMetadata } from './metadata/build-participant-metadata.js';
export type { PublishedParts } from './metadata/published-parts.js';
