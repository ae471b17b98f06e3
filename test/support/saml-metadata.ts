import { X509Certificate } from 'node:crypto';

const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings';
const URI = { soap: `${BINDING}:SOAP`, redirect: `${BINDING}:HTTP-Redirect`, post: `${BINDING}:HTTP-POST` };

/** What may be chosen of metadata that is otherwise plain. */
export interface MetadataParts {
  entityId: string;
  role?: 'sp' | 'idp';
  /** PEM, by use; `both` has no use. */
  keys?: { use: 'signing' | 'encryption' | 'both'; certificate: string }[];
  endpoints?: { binding: keyof typeof URI; location: string; responseLocation?: string }[];
  /** Attributes of the root, e.g. ` validUntil="..."`. */
  attributes?: string;
}

/** An EntityDescriptor that is right, to be made wrong. */
export function entityDescriptor(parts: MetadataParts): string {
  const { entityId, role = 'sp', keys = [], endpoints = [], attributes = '' } = parts;
  const name = role === 'sp' ? 'SPSSODescriptor' : 'IDPSSODescriptor';
  const written = keys.map(
    ({ use, certificate }) =>
      `<md:KeyDescriptor${use === 'both' ? '' : ` use="${use}"`}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${base64Of(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  );
  const services = endpoints.map(
    ({ binding, location, responseLocation }) =>
      `<md:SingleLogoutService Binding="${URI[binding]}" Location="${location}"${responseLocation === undefined ? '' : ` ResponseLocation="${responseLocation}"`}/>`,
  );
  const login =
    role === 'sp'
      ? `<md:AssertionConsumerService Binding="${URI.post}" Location="https://login.example.com/acs" index="0"/>`
      : `<md:SingleSignOnService Binding="${URI.redirect}" Location="https://login.example.com/sso"/>`;
  return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ID="_of_the_peer" entityID="${entityId}"${attributes}>
  <md:${name} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ${[...written, ...services, login].join('\n    ')}
  </md:${name}>
</md:EntityDescriptor>
`;
}

/** An EntitiesDescriptor around entities that declare their own namespaces. */
export function entitiesDescriptor(entities: readonly string[], attributes = ''): string {
  return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_aggregate"${attributes}>\n${entities.join('')}</md:EntitiesDescriptor>\n`;
}

export function base64Of(pem: string): string {
  return new X509Certificate(pem).raw.toString('base64');
}
