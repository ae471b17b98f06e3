import { readFileSync } from 'node:fs';
import { APACHE_MODULES } from './products.js';

/** One SP: an Apache with mod_shib, and its shibd. */
export interface ShibbolethSite {
  /** `https://host:port`; the host is localhost or 127.0.0.1. */
  origin: string;
  entityId: string;
  idpEntityId: string;
  /** URL at which it reads the metadata of the identity provider, again each second. */
  idpMetadata: string;
}

/** As Debian ships it; the guide says what to change. */
export const SHIPPED = '/etc/shibboleth';
const GUIDE = 'docs/guides/shibboleth-sp.md';
/** As `<Logout>` is shipped: it asks for no answer. */
const SHIPPED_INITIATOR = '<LogoutInitiator type="SAML2" Location="/LogoutAsShipped"/>';
const MODULES = ['mpm_event', 'alias', 'authn_core', 'authz_core', 'dir', 'include', 'mime', 'ssl'];

/** shibboleth2.xml: the one of the package, with the changes that the guide shows. */
export function shibbolethConfig(folder: string, { entityId, idpEntityId, idpMetadata }: ShibbolethSite): string {
  const sessions = change(shownIn('xml', '<Sessions'), GUIDE, [
    [/(?<=<SSO entityID=")[^"]+/, idpEntityId],
    [/(?<=<\/Logout>)/, `\n    ${shownIn('xml', '<LogoutInitiator')}${SHIPPED_INITIATOR}`],
  ]);
  const relyingParty = change(shownIn('xml', '<RelyingParty'), GUIDE, [[/(?<=Name=")[^"]+/, idpEntityId]]);
  const provider = change(shownIn('xml', '<MetadataProvider'), GUIDE, [
    [/(?<=url=")[^"]+/, idpMetadata],
    [/\/etc\/ssl\/certs\/ca-certificates\.crt/, `${folder}/authority.crt`],
    [/(?<=minRefreshDelay=")[^"]+/, '1'],
    [/(?<=maxRefreshDelay=")[^"]+/, '1'],
  ]);
  return change(readFileSync(`${SHIPPED}/shibboleth2.xml`, 'utf8'), 'shibboleth2.xml of the package', [
    [/(?<=<ApplicationDefaults entityID=")[^"]+/, entityId],
    [/<Sessions[\s\S]*<\/Sessions>/, sessions],
    [/(?=<AttributeExtractor)/, `${relyingParty}\n${provider}\n`],
    // Its own log, and no systemd.
    [/<OutOfProcess ([^>]*)\/>/, '<OutOfProcess logger="shibd.logger" $1/>\n    <InProcess logger="native.logger"/>'],
  ]);
}

/** A whole httpd.conf. Its virtual host is the one that the guide shows, so that what the guide shows is what was tried. */
export function shibbolethApacheConfig(folder: string, { origin }: ShibbolethSite): string {
  const { host, hostname } = new URL(origin);
  const virtualHost = change(shownIn('apache', '<VirtualHost'), GUIDE, [
    [/(?<=<VirtualHost )[^>]+/, host.replace('localhost', '127.0.0.1')],
    [/(?<= ServerName ).+/, `https://${host}`],
    [/(?<= DocumentRoot ).+/, `"${folder}/site"`],
    [/(?<= SSLCertificateFile ).+/, `"${folder}/tls.crt"`],
    [/(?<= SSLCertificateKeyFile ).+/, `"${folder}/tls.key"`],
  ]);
  return `ServerRoot "${folder}"
DefaultRuntimeDir "${folder}/run"
PidFile "${folder}/run/apache.pid"
ServerName ${hostname}
UseCanonicalName On
${MODULES.map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`).join('\n')}
LoadModule mod_shib ${APACHE_MODULES}/mod_shib.so
StartServers 1
TypesConfig /etc/mime.types
ErrorLog "${folder}/log/shibboleth/apache.log"
LogLevel warn
Include /etc/apache2/conf-available/shib.conf
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
<Directory "${folder}/site">
  Options +Includes
  Require all granted
</Directory>
Listen ${host.replace('localhost', '127.0.0.1')}
${virtualHost}
`;
}

/** The one block of that language in the guide that begins so. */
function shownIn(language: string, beginning: string): string {
  const blocks = [...readFileSync(GUIDE, 'utf8').matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text]) => text!,
  );
  const block = blocks.find((text) => text.startsWith(beginning));
  if (block === undefined) throw new Error(`${GUIDE} shows no ${beginning}`);
  return block;
}

function change(text: string, source: string, changes: readonly (readonly [RegExp, string])[]): string {
  return changes.reduce((config, [where, what]) => {
    if (!where.test(config)) throw new Error(`${source} has nothing like ${String(where)}`);
    return config.replace(where, what.replace(/\$(?!\d)/g, '$$$$'));
  }, text);
}
