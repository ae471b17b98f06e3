import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OPENSAML = 'file:///usr/share/xml/opensaml';
const XMLTOOLING = 'file:///usr/share/xml/xmltooling';

/** Addresses under which the schemas name one another, and where Debian keeps them. */
const CATALOG = {
  'http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd': `${XMLTOOLING}/xmldsig-core-schema.xsd`,
  'http://www.w3.org/TR/2002/REC-xmlenc-core-20021210/xenc-schema.xsd': `${XMLTOOLING}/xenc-schema.xsd`,
  'http://www.w3.org/2001/xml.xsd': `${XMLTOOLING}/xml.xsd`,
};
const SCHEMAS = {
  'urn:oasis:names:tc:SAML:2.0:protocol': `${OPENSAML}/saml-schema-protocol-2.0.xsd`,
  'urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo': `${OPENSAML}/saml-async-slo-v1.0.xsd`,
  'http://schemas.xmlsoap.org/soap/envelope/': `${XMLTOOLING}/soap-envelope.xsd`,
  'http://www.w3.org/2009/xmlenc11#': `${XMLTOOLING}/xenc11-schema.xsd`,
  'urn:oasis:names:tc:SAML:2.0:metadata': `${OPENSAML}/saml-schema-metadata-2.0.xsd`,
  'urn:oasis:names:tc:SAML:metadata:algsupport': `${OPENSAML}/sstc-saml-metadata-algsupport-v1.0.xsd`,
  'urn:oasis:names:tc:SAML:metadata:ui': `${OPENSAML}/sstc-saml-metadata-ui-v1.0.xsd`,
};

/** What the OASIS schemas say of metadata or a message: the empty text where it is valid, else the complaints of xmllint. */
export function judgeSchema(xml: string): string {
  return inFolder((folder) => {
    const catalog = Object.entries(CATALOG).map(
      ([name, uri]) => `<system systemId="${name}" uri="${uri}"/><uri name="${name}" uri="${uri}"/>`,
    );
    const imports = Object.entries(SCHEMAS).map(([namespace, uri]) => `<import namespace="${namespace}" schemaLocation="${uri}"/>`);
    write(folder, 'catalog.xml', `<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">${catalog.join('')}</catalog>`);
    write(folder, 'all.xsd', `<schema xmlns="http://www.w3.org/2001/XMLSchema">${imports.join('')}</schema>`);
    write(folder, 'document.xml', xml);
    const env = { ...process.env, XML_CATALOG_FILES: join(folder, 'catalog.xml') };
    const args = ['--nonet', '--noout', '--schema', join(folder, 'all.xsd'), join(folder, 'document.xml')];
    const { status, stderr } = spawnSync('xmllint', args, { encoding: 'utf8', env });
    return status === 0 ? '' : stderr;
  });
}

export const ENTITY_DESCRIPTOR = 'urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor';
/** Our certificate alone is tried, and no key that the document brings. */
const NO_KEY_OF_THE_DOCUMENT = ['--enabled-key-data', 'key-name,rsa,ec'];

/**
 * What xmlsec1 says of a signature: the empty text where it verifies with that certificate (PEM) alone.
 * @param element namespace and name of what bears the ID.
 */
export function judgeSignature(xml: string, certificate: string, element: string): string {
  return inFolder((folder) => {
    const key = ['--pubkey-cert-pem', write(folder, 'certificate.pem', certificate), ...NO_KEY_OF_THE_DOCUMENT];
    const { status, said } = xmlsec1('--verify', ...key, '--id-attr:ID', element, write(folder, 'document.xml', xml));
    return status === 0 ? '' : said;
  });
}

/**
 * A document with an empty signature in it, signed by xmlsec1.
 * @param key PEM.
 * @param element namespace and name of what bears the ID.
 */
export function signWithXmlsec1(template: string, key: string, element: string): string {
  return inFolder((folder) => {
    const output = join(folder, 'signed.xml');
    const files = ['--output', output, write(folder, 'template.xml', template)];
    return written(output, xmlsec1('--sign', '--privkey-pem', write(folder, 'key.pem', key), '--id-attr:ID', element, ...files));
  });
}

/** A document in which xmlsec1 has put the content of its EncryptedData in the place of that. @param key PEM. */
export function decryptWithXmlsec1(xml: string, key: string): string {
  return inFolder((folder) => {
    const output = join(folder, 'decrypted.xml');
    const files = ['--output', output, write(folder, 'document.xml', xml)];
    return written(output, xmlsec1('--decrypt', '--privkey-pem', write(folder, 'key.pem', key), ...files));
  });
}

/**
 * An EncryptedData of xmlsec1.
 * @param template with an empty CipherValue.
 * @param sessionKey `aes-256` and the like.
 */
export function encryptWithXmlsec1(template: string, content: string, certificate: string, sessionKey: string): string {
  return inFolder((folder) => {
    const output = join(folder, 'encrypted.xml');
    const key = ['--pubkey-cert-pem', write(folder, 'certificate.pem', certificate), '--session-key', sessionKey];
    const files = ['--xml-data', write(folder, 'content.xml', content), '--output', output, write(folder, 'template.xml', template)];
    return written(output, xmlsec1('--encrypt', ...key, ...files));
  });
}

function xmlsec1(...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('xmlsec1', args, { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` || 'refused without a word' };
}

/** @throws Error with what xmlsec1 said where it did not do it. */
function written(output: string, { status, said }: { status: number | null; said: string }): string {
  if (status !== 0) throw new Error(`xmlsec1: ${said}`);
  return readFileSync(output, 'utf8')
    .replace(/^<\?xml[^>]*\?>\s*/, '')
    .trimEnd();
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function inFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'exeunt-xml-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
