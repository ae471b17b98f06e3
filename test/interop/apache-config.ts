import { APACHE_MODULES } from './products.js';

/** One application behind mod_auth_openidc: a host of its own, for its settings are per host. */
export interface Site {
  name: string;
  port: number;
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** `id_token_signed_response_alg` of the client. */
  signingAlg: string;
}

const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_openidc', 'dir', 'mime', 'rewrite'];

/** A whole httpd.conf. What is in the virtual host is what docs/guides/mod-auth-openidc.md shows. */
export function apacheConfig(folder: string, sites: readonly Site[]): string {
  return `ServerRoot "${folder}"
DefaultRuntimeDir "${folder}"
PidFile "${folder}/apache.pid"
ServerName 127.0.0.1
${MODULES.map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`).join('\n')}
StartServers 1
TypesConfig /etc/mime.types
ErrorLog "${folder}/error.log"
LogLevel warn auth_openidc:info
# On disk: sessions live through a restart of Apache.
OIDCCacheType file
OIDCCacheDir "${folder}/cache"
${sites.map((site) => virtualHost(folder, site)).join('\n')}`;
}

const virtualHost = (folder: string, site: Site) => `
Listen 127.0.0.1:${site.port}
<VirtualHost 127.0.0.1:${site.port}>
  DocumentRoot "${folder}/site"
  RewriteEngine On
  RewriteCond "${folder}/closed" -f
  RewriteRule ^ - [R=503,L]

  OIDCProviderMetadataURL ${site.issuer}/.well-known/openid-configuration
  OIDCClientID ${site.clientId}
  OIDCClientSecret ${site.clientSecret}
  OIDCIDTokenSignedResponseAlg ${site.signingAlg}
  OIDCRedirectURI http://127.0.0.1:${site.port}/app/redirect_uri
  OIDCCryptoPassphrase ${site.clientSecret}
  OIDCScope "openid"
  OIDCRemoteUserClaim sub
  OIDCSessionType server-cache
  # Cookies do not know ports.
  OIDCCookie ${site.name}_session

  <Location /app>
    AuthType openid-connect
    Require valid-user
  </Location>
</VirtualHost>
`;
