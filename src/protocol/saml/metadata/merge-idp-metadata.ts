import { XMLSerializer } from '@xmldom/xmldom';
import { NS } from '../terms.js';
import type { SamlSigner } from '../types.js';
import { childrenOf, declarePrefixes, insertAfter, remove, rootOf } from './metadata-tree.js';
import { algorithms, base64Of, keyDescriptors, PUBLISHED_DIGESTS, PUBLISHED_SIGNATURES, singleLogoutServices } from './published-parts.js';
import type { PublishedParts } from './published-parts.js';
import { finishDocument } from './finish-document.js';

/** What is ours in the metadata of an identity provider. */
export interface MetadataAdditions extends PublishedParts {
  /** ISO 8601: an end that something around the element had set; the earlier one counts. */
  validUntil?: string | null;
  /** Signs the document; without it the document is unsigned. */
  signer?: SamlSigner;
}

/** Children of a role that the schema wants before its SingleLogoutService elements. @see SLO-71 */
const BEFORE_KEYS = ['Extensions', 'KeyDescriptor'];
const BEFORE_LOGOUT = [...BEFORE_KEYS, 'Organization', 'ContactPerson', 'ArtifactResolutionService'];

/**
 * The metadata that service providers read instead of the identity provider's own: all of it, so that logins go on as before, with our
 * signing certificates beside its own and our single logout instead of its own.
 *
 * - Its signing certificates stay and come first: it signs the assertions. A KeyDescriptor without `use` becomes one for signing.
 * - Its encryption certificates give way to ours: what peers encrypt to an identity provider are the NameIDs of logout requests and
 *   of NameID management; the former come to us now, and we could not read them.
 * - All its SingleLogoutService elements give way to ours: a logout that went past us would end half of the sessions.
 * - Its signature is gone, for it would not verify any more; `validUntil` is kept, never put off.
 *
 * @param xml its EntityDescriptor, judged at import.
 * @throws Error when it is none that we could have imported
 * @see SLO-70, SLO-71, SLO-74
 */
export function mergeIdpMetadata(xml: string, additions: MetadataAdditions): string {
  const entity = rootOf(xml);
  if (entity.namespaceURI !== NS.md || entity.localName !== 'EntityDescriptor') {
    throw new Error(`metadata to publish must be an EntityDescriptor, this is ${entity.nodeName}`);
  }
  const roles = childrenOf(entity, NS.md, 'IDPSSODescriptor').filter(speaksSaml2);
  if (roles.length === 0) throw new Error('metadata to publish must have an IDPSSODescriptor of SAML 2.0');
  declarePrefixes(entity);
  removeAll(entity, NS.ds, 'Signature');
  shortenValidity(entity, additions.validUntil ?? null);
  entity.setAttribute('cacheDuration', `PT${additions.cacheSeconds}S`);
  for (const role of roles) mergeRole(entity, role, additions);
  return finishDocument(new XMLSerializer().serializeToString(entity), additions.signer);
}

function speaksSaml2(role: Element): boolean {
  return (role.getAttribute('protocolSupportEnumeration') ?? '').split(/\s+/).includes(NS.samlp);
}

function mergeRole(entity: Element, role: Element, additions: MetadataAdditions): void {
  removeAll(role, NS.ds, 'Signature');
  role.removeAttribute('cacheDuration');
  mergeAlgorithms(entity, role);
  mergeKeys(role, additions);
  removeAll(role, NS.md, 'SingleLogoutService');
  insertAfter(role, BEFORE_LOGOUT, singleLogoutServices(additions.endpoints));
}

/** What it lists itself (for the requests to log in that it gets) and we verify, too, goes first; the role's list beats the entity's. */
function mergeAlgorithms(entity: Element, role: Element): void {
  const listed = (name: string, ours: readonly string[]) => {
    const own = [role, entity].map((holder) => algorithmsIn(holder, name)).find((list) => list.length > 0) ?? [];
    return [...new Set([...own.filter((uri) => ours.includes(uri)), ...ours])];
  };
  const merged = algorithms(listed('DigestMethod', PUBLISHED_DIGESTS), listed('SigningMethod', PUBLISHED_SIGNATURES));
  let [extensions] = childrenOf(role, NS.md, 'Extensions');
  if (!extensions) {
    insertAfter(role, [], ['<md:Extensions/>']);
    [extensions] = childrenOf(role, NS.md, 'Extensions');
  }
  for (const name of ['DigestMethod', 'SigningMethod']) removeAll(extensions!, NS.alg, name);
  insertAfter(extensions!, [], merged);
}

function algorithmsIn(holder: Element, name: string): string[] {
  const lists = childrenOf(holder, NS.md, 'Extensions').flatMap((extensions) => childrenOf(extensions, NS.alg, name));
  return lists.map((one) => one.getAttribute('Algorithm') ?? '');
}

function mergeKeys(role: Element, { signingCertificates, encryptionCertificates }: MetadataAdditions): void {
  const own = new Set<string>();
  for (const key of childrenOf(role, NS.md, 'KeyDescriptor')) {
    if (key.getAttribute('use') === 'encryption') {
      remove(key);
      continue;
    }
    key.setAttribute('use', 'signing');
    removeAll(key, NS.md, 'EncryptionMethod');
    for (const certificate of Array.from(key.getElementsByTagNameNS(NS.ds, 'X509Certificate')))
      own.add(base64Of(certificate.textContent ?? ''));
  }
  // The identity provider's own certificate may have been imported to sign with: it is there already.
  const ours = signingCertificates.filter((pem) => !own.has(base64Of(pem)));
  insertAfter(role, BEFORE_KEYS, keyDescriptors({ signingCertificates: ours, encryptionCertificates }));
}

function shortenValidity(entity: Element, limit: string | null): void {
  const own = entity.getAttribute('validUntil');
  if (limit !== null && (!own || Date.parse(limit) < Date.parse(own))) entity.setAttribute('validUntil', limit);
}

function removeAll(parent: Element, namespace: string, name: string): void {
  for (const element of childrenOf(parent, namespace, name)) remove(element);
}
