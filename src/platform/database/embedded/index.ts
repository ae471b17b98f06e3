export { startEmbeddedPostgres } from './start.js';
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './start.js';
export type { EmbeddedLog } from './log.js';
export { createDataDir } from './place.js';
