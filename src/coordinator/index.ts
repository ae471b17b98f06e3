export * from './coordinate-logout.js';
export * from './take-events.js';
export * from './end-by-logout-token.js';
export * from './end-by-saml-request.js';
export * from './browser-logout.js';
export * from './coordinator.module.js';
