import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A product that npm does not bring. */
export interface Product {
  name: string;
  /** What to install on Debian. */
  packages: string;
  /** Its version as it says it itself; null where it is not installed. */
  version(): string | null;
}

export const APACHE = '/usr/sbin/apache2';
export const APACHE_MODULES = '/usr/lib/apache2/modules';
export const SHIBD = '/usr/sbin/shibd';
export const CHROMIUM = '/usr/bin/chromium';
/** Debian's own: the first `python3` of the PATH may be another, without the libraries of the system's packages. */
export const PYTHON = '/usr/bin/python3';

export const modAuthOpenidc: Product = {
  name: 'Apache with mod_auth_openidc',
  packages: 'apache2 libapache2-mod-auth-openidc',
  version: () => {
    if (!existsSync(`${APACHE_MODULES}/mod_auth_openidc.so`)) return null;
    const apache = said(APACHE, ['-v'], /Apache\/\S+/);
    const module = said('dpkg-query', ['--show', '--showformat=${Version}', 'libapache2-mod-auth-openidc'], /^\S+/);
    return apache && `${apache}, mod_auth_openidc ${module ?? 'of unknown version'}`;
  },
};

export const shibboleth: Product = {
  name: 'Shibboleth SP',
  packages: 'apache2 libapache2-mod-shib',
  version: () => (existsSync(`${APACHE_MODULES}/mod_shib.so`) ? said(SHIBD, ['-v'], /^shibboleth \S+/) : null),
};

export const chromium: Product = {
  name: 'Chromium',
  packages: 'chromium',
  version: () => (existsSync(CHROMIUM) ? said(CHROMIUM, ['--version'], /^Chromium \S+/) : null),
};

export const jwcrypto: Product = {
  name: 'jwcrypto',
  packages: 'python3-jwcrypto',
  version: () =>
    said(
      PYTHON,
      ['-c', 'import importlib.metadata, jwcrypto.jwt; print("jwcrypto", importlib.metadata.version("jwcrypto"))'],
      /^jwcrypto \S+/,
    ),
};

/** The schemas of OASIS, and who reads them. */
export const samlSchemas: Product = {
  name: 'xmllint with the SAML schemas',
  packages: 'libxml2-utils opensaml-schemas xmltooling-schemas',
  version: () =>
    existsSync('/usr/share/xml/opensaml/saml-schema-metadata-2.0.xsd') ? said('xmllint', ['--version'], /libxml version \d+/) : null,
};

export const xmlsec1: Product = { name: 'xmlsec1', packages: 'xmlsec1', version: () => said('xmlsec1', ['--version'], /^xmlsec1 \S+/) };

export const openssl: Product = { name: 'OpenSSL', packages: 'openssl', version: () => said('openssl', ['version'], /^OpenSSL \S+/) };

export const PRODUCTS = [modAuthOpenidc, shibboleth, chromium, jwcrypto, samlSchemas, xmlsec1, openssl];

function said(command: string, args: readonly string[], what: RegExp): string | null {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  // Some say it on the one, some on the other.
  return status === 0 ? (what.exec(`${stdout}${stderr}`)?.[0] ?? null) : null;
}
