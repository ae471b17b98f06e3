export * from './coordinate-logout.js';
export * from './take-events.js';
export * from './end-by-logout-token.js';
export * from './coordinator.module.js';
