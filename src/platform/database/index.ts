export * from './database.js';
export * from './data-source.js';
export * from './migrate.js';
export * from './embedded/index.js';
