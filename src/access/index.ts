export { AccessModule } from './access.module.js';
export { AccessGuard } from './access-guard.js';
export { Authenticator } from './authenticator.js';
export { ApiKeys } from './api-keys.js';
export type { ApiKeyInfo, IssuedKey, KeyOwner } from './api-keys.js';
export { ensureAdminToken } from './admin-token.js';
export { Public, Allow, CurrentCaller } from './decorators.js';
export { nameOfCaller } from './caller.js';
export type { Caller, CallerKind } from './caller.js';
