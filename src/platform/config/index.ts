export { loadConfig } from './load-config.js';
export type { LoadConfigOptions } from './load-config.js';
export type { Environment } from './read-environment.js';
export { configSchema, ROLES } from './schema.js';
export type { Config, TrustedIssuer } from './schema.js';
