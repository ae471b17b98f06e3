export * from './types.js';
export * from './load-service-providers.js';
