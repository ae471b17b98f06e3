export * from './channel.js';
export * from './oidc-backchannel/index.js';
export * from './saml-browser/index.js';
export * from './saml-soap/index.js';
export type { SamlChannelParts, SamlRequestSettings, SamlSigners, SamlSigning } from './saml-logout-request.js';
