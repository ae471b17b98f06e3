import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ExclusiveCanonicalization } from 'xml-crypto';
import { allowedDigests, allowedSignatures, ENVELOPED, EXCLUSIVE_C14N } from '../signature/algorithms.js';
import { isSignedByOneOf } from '../signature/signing-keys.js';
import { NS } from '../terms.js';
import { MetadataRefused } from './metadata-refused.js';
import { childrenOf, rootOf } from './metadata-tree.js';
import { readKeyCertificate } from './read-keys.js';

/** What a signature of metadata must be made with. */
export interface MetadataTrust {
  /** PEM; the key of one of them. Only keys count: dates and issuers of certificates say nothing. */
  certificates: readonly string[];
  /** @see SLO-84 */
  allowSha1: boolean;
}

const TRANSFORMS = [ENVELOPED, EXCLUSIVE_C14N];

/**
 * Judges the enveloped signature of a document's root and answers the octets that it is over: exclusive canonical XML of the root without
 * its signature and without comments. Nothing but these may be read afterwards.
 *
 * Takes one signature with one reference, to the root by its ID, and none of the freedoms beyond that. Costs about a second for 10 MB.
 * @param xml whole document, judged by `outlineMetadata`.
 * @throws MetadataRefused
 * @see SLO-82, SLO-83, SLO-84, SLO-86, SLO-87
 */
export function verifyMetadataSignature(xml: string, trust: MetadataTrust): string {
  const root = rootOf(xml);
  const parts = readSignature(root);
  const scheme = allowed(allowedSignatures, parts.signatureMethod, 'SignatureMethod', trust);
  const hash = allowed(allowedDigests, parts.digestMethod, 'DigestMethod', trust);
  const keys = keysOf(trust.certificates, scheme.keyType);
  // First the signature, which is cheap, so that a forged document costs no more than this.
  const signedInfo = Buffer.from(canonical(parts.signedInfo, parts.signedInfoPrefixes));
  if (!isSignedByOneOf(keys, scheme, signedInfo, parts.signatureValue)) {
    throw new MetadataRefused(
      'document',
      'SLO-75',
      'must be signed with the key of one of the given certificates',
      'a signature by another key, or changed after it was signed',
    );
  }
  root.removeChild(parts.signature);
  const signed = canonical(root, parts.rootPrefixes);
  const seen = createHash(hash).update(signed).digest();
  if (seen.length !== parts.digestValue.length || !timingSafeEqual(seen, parts.digestValue)) {
    throw new MetadataRefused('document', 'SLO-82', 'must be as it was when it was signed', 'another digest than the signed one');
  }
  return signed;
}

interface SignatureParts {
  signature: Element;
  signedInfo: Element;
  signedInfoPrefixes: string[];
  rootPrefixes: string[];
  signatureMethod: string;
  digestMethod: string;
  digestValue: Buffer;
  signatureValue: Buffer;
}

/** One way to write a signature, and no other. @see SLO-82, SLO-87 */
function readSignature(root: Element): SignatureParts {
  const signatures = childrenOf(root, NS.ds, 'Signature');
  if (signatures.length !== 1) refuse('SLO-87', 'must have one Signature on its root element', `${signatures.length}`);
  const signature = signatures[0]!;
  if (childrenOf(root)[0] !== signature) refuse('SLO-87', 'must have its Signature as the first child of the root element');
  const [signedInfo, value, ...rest] = childrenOf(signature);
  if (!is(signedInfo, 'SignedInfo') || !is(value, 'SignatureValue') || rest.some((one) => !is(one, 'KeyInfo')) || rest.length > 1) {
    refuse(
      'SLO-87',
      'must have a Signature of SignedInfo, SignatureValue and KeyInfo',
      childrenOf(signature)
        .map((one) => one.nodeName)
        .join(', '),
    );
  }
  const [c14n, method, reference, ...more] = childrenOf(signedInfo);
  if (!is(c14n, 'CanonicalizationMethod') || !is(method, 'SignatureMethod') || !is(reference, 'Reference') || more.length > 0) {
    refuse(
      'SLO-82',
      'must have a SignedInfo with exactly one Reference',
      childrenOf(signedInfo)
        .map((one) => one.nodeName)
        .join(', '),
    );
  }
  if (algorithmOf(c14n) !== EXCLUSIVE_C14N) refuse('SLO-83', `CanonicalizationMethod must be ${EXCLUSIVE_C14N}`, algorithmOf(c14n));
  if (childrenOf(method).length > 0) refuse('SLO-83', 'SignatureMethod must be empty', childrenOf(method)[0]!.nodeName);
  return {
    signature,
    signedInfo,
    signedInfoPrefixes: prefixesOf(c14n),
    signatureMethod: algorithmOf(method),
    signatureValue: bytesOf(value),
    ...readReference(root, reference),
  };
}

function readReference(root: Element, reference: Element): Pick<SignatureParts, 'rootPrefixes' | 'digestMethod' | 'digestValue'> {
  const id = root.getAttribute('ID') ?? '';
  if (id === '') refuse('SLO-82', 'must have an ID on the signed root element');
  const uri = reference.getAttribute('URI');
  if (uri !== `#${id}`)
    refuse('SLO-82', `Reference URI must be #${id}, the ID of the root element`, uri === null || uri === '' ? 'none' : uri);
  const [transforms, method, value, ...more] = childrenOf(reference);
  if (!is(transforms, 'Transforms') || !is(method, 'DigestMethod') || !is(value, 'DigestValue') || more.length > 0) {
    refuse(
      'SLO-87',
      'must have a Reference of Transforms, DigestMethod and DigestValue',
      childrenOf(reference)
        .map((one) => one.nodeName)
        .join(', '),
    );
  }
  const steps = childrenOf(transforms);
  if (steps.length !== TRANSFORMS.length || !steps.every((step, at) => is(step, 'Transform') && algorithmOf(step) === TRANSFORMS[at])) {
    refuse('SLO-82', 'Transforms must be enveloped-signature and exclusive canonicalization', steps.map(algorithmOf).join(', ') || 'none');
  }
  return { rootPrefixes: prefixesOf(steps[1]!), digestMethod: algorithmOf(method), digestValue: bytesOf(value) };
}

function is(element: Element | undefined, name: string): element is Element {
  return element?.namespaceURI === NS.ds && element.localName === name;
}

function algorithmOf(element: Element): string {
  return element.getAttribute('Algorithm') ?? '';
}

/** @see Exclusive XML Canonicalization 1.0, InclusiveNamespaces PrefixList */
function prefixesOf(method: Element): string[] {
  const [list, ...more] = childrenOf(method);
  if (list === undefined) return [];
  if (more.length > 0 || list.namespaceURI !== EXCLUSIVE_C14N || list.localName !== 'InclusiveNamespaces') {
    refuse('SLO-83', 'canonicalization may have InclusiveNamespaces and nothing else', list.nodeName);
  }
  return (list.getAttribute('PrefixList') ?? '').split(/\s+/).filter((prefix) => prefix !== '' && prefix !== '#default');
}

/** Text and nothing else: a comment within could hide what is compared. @see SLOX-9 */
function bytesOf(element: Element): Buffer {
  const text = Array.from(element.childNodes).map((node) => (node.nodeType === node.TEXT_NODE ? node.nodeValue : null));
  const base64 = text.includes(null) ? '' : text.join('').replace(/\s+/g, '');
  if (base64 === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) refuse('SLO-87', `${element.localName} must be base64 and nothing else`);
  return Buffer.from(base64, 'base64');
}

function canonical(element: Element, inclusiveNamespacesPrefixList: string[]): string {
  return new ExclusiveCanonicalization().process(element, { inclusiveNamespacesPrefixList, ancestorNamespaces: namespacesAround(element) });
}

/** Declarations of its ancestors, the nearest one last. */
function namespacesAround(element: Element): { prefix: string; namespaceURI: string }[] {
  const around: { prefix: string; namespaceURI: string }[] = [];
  for (let node = element.parentNode; node && node.nodeType === node.ELEMENT_NODE; node = node.parentNode) {
    const declared = Array.from((node as Element).attributes).filter((one) => one.prefix === 'xmlns');
    around.unshift(...declared.map((one) => ({ prefix: one.localName, namespaceURI: one.value })));
  }
  const own = new Set(Array.from(element.attributes, (one) => (one.prefix === 'xmlns' ? one.localName : '')));
  return around.filter(({ prefix }) => !own.has(prefix));
}

function allowed<Entry>(
  tableFor: (allowSha1: boolean) => Readonly<Record<string, Entry>>,
  uri: string,
  name: string,
  { allowSha1 }: MetadataTrust,
): Entry {
  const table = tableFor(allowSha1);
  const entry = Object.hasOwn(table, uri) ? table[uri] : undefined;
  if (entry === undefined) refuse('SLO-83', `${name} must be one of ${Object.keys(tableFor(false)).join(', ')}`, uri || 'none');
  return entry;
}

function keysOf(certificates: readonly string[], type: 'rsa' | 'ec'): KeyObject[] {
  return certificates
    .map((pem) => new X509Certificate(readKeyCertificate(pem).pem).publicKey)
    .filter((key) => key.asymmetricKeyType === type);
}

function refuse(clause: string, rule: string, seen?: string): never {
  throw new MetadataRefused('document', clause, rule, seen);
}
