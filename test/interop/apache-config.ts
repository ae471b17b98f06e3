import { readFileSync } from 'node:fs';
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
  /** Default: as in the guide. */
  sessionType?: 'client-cookie';
}

const GUIDE = 'docs/guides/mod-auth-openidc.md';
const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_openidc', 'dir', 'mime', 'rewrite'];

/** A whole httpd.conf. Its virtual hosts are the one that the guide shows, so that what the guide shows is what was tried. */
export function apacheConfig(folder: string, sites: readonly Site[]): string {
  const shown = /```apache\n([\s\S]*?)```/.exec(readFileSync(GUIDE, 'utf8'))?.[1];
  if (shown === undefined) throw new Error(`${GUIDE} shows no configuration of Apache`);
  return `ServerRoot "${folder}"
DefaultRuntimeDir "${folder}"
PidFile "${folder}/apache.pid"
ServerName 127.0.0.1
${MODULES.map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`).join('\n')}
StartServers 1
TypesConfig /etc/mime.types
ErrorLog "${folder}/error.log"
LogLevel warn
${sites.map((site) => `Listen 127.0.0.1:${site.port}\n${virtualHost(shown, folder, site)}`).join('\n')}`;
}

function virtualHost(shown: string, folder: string, site: Site): string {
  const changes: [RegExp, string][] = [
    [/(?<=^Define ISSUER +)\S+$/m, site.issuer],
    [/(?<=^Define WIKI +)\S+$/m, `http://127.0.0.1:${site.port}`],
    [/(?<=^Define CLIENT_ID +)\S+$/m, site.clientId],
    [/(?<=^Define CLIENT_SECRET +)\S+$/m, site.clientSecret],
    [/(?<=^Define PASSPHRASE +)\S+$/m, site.clientSecret],
    [/(?<=^<VirtualHost )\S+(?=>$)/m, `127.0.0.1:${site.port}`],
    [/(?<=^ +ServerName )\S+$/m, '127.0.0.1'],
    [/(?<=^ +DocumentRoot )\S+$/m, `"${folder}/site"`],
    [/(?<=^ +OIDCIDTokenSignedResponseAlg )\S+$/m, site.signingAlg],
    [/(?<=^ +OIDCSessionType +)\S+$/m, site.sessionType ?? 'server-cache'],
    [/(?<=^ +OIDCCacheDir +)\S+$/m, `"${folder}/cache"`],
    // All hosts are 127.0.0.1, and cookies do not know ports; and there is a switch for maintenance.
    [
      /^(?=<\/VirtualHost>$)/m,
      `  OIDCCookie ${site.name}_session
  RewriteEngine On
  RewriteCond "${folder}/closed" -f
  RewriteRule ^ - [R=503,L]
`,
    ],
  ];
  return changes.reduce((config, [where, what]) => {
    if (!where.test(config)) throw new Error(`the configuration in ${GUIDE} has nothing like ${String(where)}`);
    return config.replace(where, () => what);
  }, shown);
}
