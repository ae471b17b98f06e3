export { OidcIntakeModule } from './oidc-intake.module.js';
export { ReceiveBackchannelLogout } from './receive-backchannel-logout.js';
export type { BackchannelLogoutAnswer, LogoutTokenTolerance } from './receive-backchannel-logout.js';
export type { DecryptionKeys, IdpOfPath, LogoutTokenEnding, UpstreamKeyResolver } from './ports.js';
