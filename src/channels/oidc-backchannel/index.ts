export { OidcBackchannelChannel } from './oidc-backchannel-channel.js';
export type { BackchannelEgress, EncryptionKeys, LogoutSigner, Signer } from './ports.js';
