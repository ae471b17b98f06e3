export * from './attempt-line.js';
export * from './logger.js';
export * from './metrics.js';
export * from './nest-logger.js';
export { redact } from './redact.js';
