export * from './outcome.js';
export * from './verdict.js';
export * from './vocabulary.js';
export * from './clock.js';
export * from './identifier.js';
export * from './errors.js';
export * from './handles.js';
