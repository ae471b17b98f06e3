import { BINDING_URI, NS } from '../terms.js';
import type { SamlBinding } from '../types.js';

/** What is ours in a published document. */
export interface PublishedParts {
  /** PEM. All that sign now, will sign or may have signed. @see SLO-74, SLO-95 */
  signingCertificates: readonly string[];
  /** PEM. What peers encrypt NameIDs to. @see SLO-11 */
  encryptionCertificates: readonly string[];
  endpoints: Readonly<Record<SamlBinding, string>>;
  /** How long readers may keep the document: less than the overlap of a rotation, or they would miss the new certificate. */
  cacheSeconds: number;
}

/** What we verify, in order of preference. @see SLO-83 */
export const PUBLISHED_DIGESTS = [
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmldsig-more#sha384',
  'http://www.w3.org/2001/04/xmlenc#sha512',
] as const;
export const PUBLISHED_SIGNATURES = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha384',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384',
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512',
] as const;

/** Authenticated encryption alone; without these a peer would take aes-cbc, which is refused. @see SLO-85 */
const ENCRYPTION_METHODS = [
  'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
];
const NAMESPACES = { 'xmlns:md': NS.md, 'xmlns:ds': NS.ds, 'xmlns:alg': NS.alg };

/** KeyDescriptors always say their use: without it a peer may encrypt to a key that signs, and the other way round. */
export function keyDescriptors(parts: Pick<PublishedParts, 'signingCertificates' | 'encryptionCertificates'>): string[] {
  return [
    ...parts.signingCertificates.map((pem) => keyDescriptor('signing', pem, [])),
    ...parts.encryptionCertificates.map((pem) => keyDescriptor('encryption', pem, ENCRYPTION_METHODS)),
  ];
}

/** All our SingleLogoutService elements: the front channel first, for a browser brings the cookies that a person's session hangs on. @see SLO-28, SLO-70 */
export function singleLogoutServices(endpoints: PublishedParts['endpoints']): string[] {
  return (['redirect', 'post', 'soap'] as const).map((binding) =>
    element('md:SingleLogoutService', { Binding: BINDING_URI[binding], Location: endpoints[binding] }),
  );
}

/**
 * Algorithms that a peer should sign with. Some (Shibboleth) sign with rsa-sha1, which is refused, unless they are told of better ones.
 * @see SAML V2.0 Metadata Profile for Algorithm Support 1.0
 */
export function algorithms(digests: readonly string[], signatures: readonly string[]): string[] {
  return [
    ...digests.map((uri) => element('alg:DigestMethod', { Algorithm: uri })),
    ...signatures.map((uri) => element('alg:SigningMethod', { Algorithm: uri })),
  ];
}

/** An element as text; attributes in their order. */
export function element(name: string, attributes: Readonly<Record<string, string>>, content = ''): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  return `<${name}${written.join('')}>${content}</${name}>`;
}

/** A root element with the namespaces that the fragments of this file use. */
export function withNamespaces(name: string, attributes: Readonly<Record<string, string>>, content: string): string {
  return element(name, { ...NAMESPACES, ...attributes }, content);
}

/** Base64 of the DER in a PEM text, on one line. */
export function base64Of(pem: string): string {
  return pem.replace(/-----[A-Z ]+-----/g, '').replace(/\s+/g, '');
}

/** The certificate as it stands in a KeyInfo. */
export function x509Data(pem: string): string {
  return element('ds:X509Data', {}, element('ds:X509Certificate', {}, base64Of(pem)));
}

function keyDescriptor(use: 'signing' | 'encryption', pem: string, methods: readonly string[]): string {
  const written = methods.map((uri) => element('md:EncryptionMethod', { Algorithm: uri }));
  return element('md:KeyDescriptor', { use }, element('ds:KeyInfo', {}, x509Data(pem)) + written.join(''));
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
