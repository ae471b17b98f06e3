export * from './session.js';
export * from './start-sessions.js';
export * from './join-sessions.js';
export * from './end-sessions.js';
export * from './touch-sessions.js';
export * from './read-sessions.js';
export { isNamedBy } from './find-target.js';
export * from './saml-tombstones.js';
