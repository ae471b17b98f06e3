export * from './egress.js';
export * from './door.js';
export type { Lookup } from './resolver.js';
