export { MasterKey } from './master-key.js';
export { loadOrCreateMasterKey } from './master-key-file.js';
export { RemoteKeys } from './remote-keys.js';
export type { KeySource, RemoteKeysSettings } from './remote-keys.js';
