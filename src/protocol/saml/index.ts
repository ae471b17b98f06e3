export * from './types.js';
export * from './terms.js';
export * from './saml-message-refused.js';
