export * from './outbox.js';
export * from './fan-out.js';
export * from './lanes.js';
export * from './settler.js';
export * from './sp-directory.js';
export * from './sweeper.js';
export * from './dispatcher.js';
export * from './channel-table.js';
