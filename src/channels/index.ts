export * from './channel.js';
export * from './oidc-backchannel/index.js';
