import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  'urn:oasis:names:tc:SAML:2.0:metadata': `${OPENSAML}/saml-schema-metadata-2.0.xsd`,
  'urn:oasis:names:tc:SAML:metadata:algsupport': `${OPENSAML}/sstc-saml-metadata-algsupport-v1.0.xsd`,
  'urn:oasis:names:tc:SAML:metadata:ui': `${OPENSAML}/sstc-saml-metadata-ui-v1.0.xsd`,
};

/** What the OASIS schemas say of metadata: the empty text where it is valid, else the complaints of xmllint. */
export function judgeMetadataSchema(xml: string): string {
  return inFolder((folder) => {
    const catalog = Object.entries(CATALOG).map(
      ([name, uri]) => `<system systemId="${name}" uri="${uri}"/><uri name="${name}" uri="${uri}"/>`,
    );
    const imports = Object.entries(SCHEMAS).map(([namespace, uri]) => `<import namespace="${namespace}" schemaLocation="${uri}"/>`);
    write(folder, 'catalog.xml', `<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">${catalog.join('')}</catalog>`);
    write(folder, 'all.xsd', `<schema xmlns="http://www.w3.org/2001/XMLSchema">${imports.join('')}</schema>`);
    write(folder, 'metadata.xml', xml);
    const env = { ...process.env, XML_CATALOG_FILES: join(folder, 'catalog.xml') };
    const args = ['--nonet', '--noout', '--schema', join(folder, 'all.xsd'), join(folder, 'metadata.xml')];
    const { status, stderr } = spawnSync('xmllint', args, { encoding: 'utf8', env });
    return status === 0 ? '' : stderr;
  });
}

/** What xmlsec1 says of the signature of an EntityDescriptor: the empty text where it verifies with that certificate (PEM) alone. */
export function judgeMetadataSignature(xml: string, certificate: string): string {
  return inFolder((folder) => {
    write(folder, 'certificate.pem', certificate);
    write(folder, 'metadata.xml', xml);
    const args = [
      '--verify',
      '--pubkey-cert-pem',
      join(folder, 'certificate.pem'),
      '--enabled-key-data',
      'key-name,rsa,ec',
      '--id-attr:ID',
    ];
    const { status, stdout, stderr } = spawnSync(
      'xmlsec1',
      [...args, 'urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor', join(folder, 'metadata.xml')],
      { encoding: 'utf8' },
    );
    return status === 0 ? '' : `${stdout}${stderr}` || 'refused without a word';
  });
}

function write(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function inFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'exeunt-xml-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
