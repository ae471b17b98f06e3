/** Where a session lives: at the identity provider, at a gateway or proxy, at an application. */
export const LAYERS = ['idp', 'gateway', 'sp'] as const;
export type Layer = (typeof LAYERS)[number];

/** Ways to tell an SP that a session is over. */
export const CHANNEL_TYPES = [
  'oidc-backchannel',
  'oidc-frontchannel',
  'saml-soap',
  'saml-redirect',
  'saml-post',
  'caep',
  'global-token-revocation',
] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** Why a logout was asked for. */
export const CAUSES = [
  'user',
  'admin',
  'idle',
  'absolute',
  'concurrency',
  'credential-change',
  'risk',
  'account-disabled',
  'account-deleted',
  'idp-gone',
  'sp-deregistered',
  'incident',
  'unspecified',
] as const;
export type Cause = (typeof CAUSES)[number];

/** Through which door the logout came. */
export const INITIATORS = ['user', 'admin', 'policy', 'system', 'idp', 'sp', 'late-join'] as const;
export type Initiator = (typeof INITIATORS)[number];

/**
 * `session`: the session and all that depends on it.
 * `root`: first up to the session at the identity provider, then down; only where the SP may (`mayEndRoot`).
 */
export const LOGOUT_SCOPES = ['session', 'root'] as const;
export type LogoutScope = (typeof LOGOUT_SCOPES)[number];
