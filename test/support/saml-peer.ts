import { createPublicKey, createSign, createVerify, generateKeyPairSync, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DOMParser } from '@xmldom/xmldom';
import forge from 'node-forge';
import { SignedXml } from 'xml-crypto';

const SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol';
const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion';
const DS = 'http://www.w3.org/2000/09/xmldsig#';
const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings';
const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const EXC_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';

export const BINDING_OF = { soap: `${BINDING}:SOAP`, redirect: `${BINDING}:HTTP-Redirect`, post: `${BINDING}:HTTP-POST` } as const;
export type Binding = keyof typeof BINDING_OF;

/** A key with a certificate around it. PEM. */
export interface Credential {
  privateKey: string;
  certificate: string;
}

/** A key and a self-signed certificate, made without any code of ours. */
export function makeCredential(commonName: string): Credential {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const key = forge.pki.privateKeyFromPem(privateKey);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 3_600_000);
  certificate.validity.notAfter = new Date(Date.now() + 30 * 86_400_000);
  const name = [{ shortName: 'CN', value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(key, forge.md.sha256.create());
  return { privateKey, certificate: forge.pki.certificateToPem(certificate) };
}

export interface Endpoint {
  binding: Binding;
  location: string;
  responseLocation?: string;
}

export interface MetadataParts {
  role?: 'sp' | 'idp';
  endpoints?: Endpoint[];
  /** Default: the peer's own. */
  certificates?: string[];
  validUntil?: string;
}

/** What may be changed in a request. */
export interface RequestParts {
  id?: string;
  issuer?: string;
  /** Null: none. */
  destination?: string | null;
  issueInstant?: Date;
  version?: string;
  notOnOrAfter?: Date;
  reason?: string;
  nameId?: string;
  /** Attributes of the NameID, as they are written. */
  nameIdAttributes?: string;
  sessionIndexes?: string[];
  asynchronous?: boolean;
}

/** A SAML entity of a test: signs by itself, with nothing of ours. */
export interface SamlPeer extends Credential {
  entityId: string;
  metadata(parts?: MetadataParts): string;
  /** Not signed. */
  request(parts: RequestParts): string;
  /** Not signed. @param status top-level code, and the second-level one after a slash */
  response(parts: { inResponseTo: string; destination: string | null; status?: string; issuer?: string; id?: string }): string;
  sign(xml: string, by?: Credential, algorithm?: 'sha256' | 'sha1'): string;
  /** The whole URL. */
  redirect(location: string, xml: string, relayState?: string): string;
}

export const newId = (): string => `_${randomBytes(20).toString('hex')}`;
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
const bodyOf = (pem: string): string => pem.replace(/-----[A-Z ]+-----|\s/g, '');
const time = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');

export function makePeer(entityId: string, credential: Credential = makeCredential('peer')): SamlPeer {
  return {
    ...credential,
    entityId,
    metadata: (parts = {}) => metadataOf(entityId, credential, parts),
    request: (parts) => requestOf(entityId, parts),
    response: ({ inResponseTo, destination, status = 'Success', issuer = entityId, id = newId() }) => {
      const [top, second] = status.split('/');
      const inner = second === undefined ? '' : `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${second}"/>`;
      const to = destination === null ? '' : ` Destination="${escape(destination)}"`;
      return (
        `<samlp:LogoutResponse xmlns:samlp="${SAMLP}" xmlns:saml="${SAML}" ID="${id}" Version="2.0" IssueInstant="${time(new Date())}"${to}` +
        ` InResponseTo="${escape(inResponseTo)}"><saml:Issuer>${escape(issuer)}</saml:Issuer>` +
        `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${top}">${inner}</samlp:StatusCode></samlp:Status></samlp:LogoutResponse>`
      );
    },
    sign: (xml, by = credential, algorithm = 'sha256') => signXml(xml, by, algorithm),
    redirect: (location, xml, relayState) => redirectTo(location, xml, relayState, credential),
  };
}

function metadataOf(entityId: string, own: Credential, parts: MetadataParts): string {
  const { role = 'sp', endpoints = [], certificates = [own.certificate], validUntil } = parts;
  const keys = certificates.map(
    (one) =>
      `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${bodyOf(one)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  );
  const services = endpoints.map(({ binding, location, responseLocation }) => {
    const back = responseLocation === undefined ? '' : ` ResponseLocation="${escape(responseLocation)}"`;
    return `<md:SingleLogoutService Binding="${BINDING_OF[binding]}" Location="${escape(location)}"${back}/>`;
  });
  const descriptor = role === 'sp' ? 'SPSSODescriptor' : 'IDPSSODescriptor';
  const last =
    role === 'sp'
      ? `<md:AssertionConsumerService Binding="${BINDING_OF.post}" Location="https://sp.example/acs" index="0"/>`
      : `<md:SingleSignOnService Binding="${BINDING_OF.redirect}" Location="https://idp.example/sso"/>`;
  const until = validUntil === undefined ? '' : ` validUntil="${validUntil}"`;
  return (
    `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="${DS}" entityID="${escape(entityId)}"${until}>` +
    `<md:${descriptor} protocolSupportEnumeration="${SAMLP}">${keys.join('')}${services.join('')}${last}</md:${descriptor}></md:EntityDescriptor>`
  );
}

function requestOf(entityId: string, parts: RequestParts): string {
  const { id = newId(), issuer = entityId, destination = null, issueInstant = new Date(), version = '2.0', reason, notOnOrAfter } = parts;
  const { nameId = 'alice', nameIdAttributes = '', sessionIndexes = [], asynchronous = false } = parts;
  const attributes = [
    `ID="${id}" Version="${version}" IssueInstant="${time(issueInstant)}"`,
    destination === null ? '' : `Destination="${escape(destination)}"`,
    notOnOrAfter === undefined ? '' : `NotOnOrAfter="${time(notOnOrAfter)}"`,
    reason === undefined ? '' : `Reason="${escape(reason)}"`,
  ].filter((one) => one !== '');
  const extensions = asynchronous
    ? '<samlp:Extensions><aslo:Asynchronous xmlns:aslo="urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"/></samlp:Extensions>'
    : '';
  const indexes = sessionIndexes.map((index) => `<samlp:SessionIndex>${escape(index)}</samlp:SessionIndex>`);
  return (
    `<samlp:LogoutRequest xmlns:samlp="${SAMLP}" xmlns:saml="${SAML}" ${attributes.join(' ')}><saml:Issuer>${escape(issuer)}</saml:Issuer>${extensions}` +
    `<saml:NameID${nameIdAttributes === '' ? '' : ` ${nameIdAttributes}`}>${escape(nameId)}</saml:NameID>${indexes.join('')}</samlp:LogoutRequest>`
  );
}

function signXml(xml: string, { privateKey }: Credential, algorithm: 'sha256' | 'sha1'): string {
  const signatureAlgorithm = algorithm === 'sha1' ? `${DS}rsa-sha1` : RSA_SHA256;
  const signature = new SignedXml({ privateKey, signatureAlgorithm, canonicalizationAlgorithm: EXC_C14N });
  signature.addReference({
    xpath: '/*',
    digestAlgorithm: algorithm === 'sha1' ? `${DS}sha1` : 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms: [`${DS}enveloped-signature`, EXC_C14N],
  });
  signature.computeSignature(xml, { prefix: 'ds', location: { reference: "/*/*[local-name(.)='Issuer']", action: 'after' } });
  return signature.getSignedXml();
}

function redirectTo(location: string, xml: string, relayState: string | undefined, { privateKey }: Credential): string {
  const parameter = xml.includes('LogoutResponse') ? 'SAMLResponse' : 'SAMLRequest';
  const parts = [
    `${parameter}=${encodeURIComponent(deflateRawSync(Buffer.from(xml)).toString('base64'))}`,
    ...(relayState === undefined ? [] : [`RelayState=${encodeURIComponent(relayState)}`]),
    `SigAlg=${encodeURIComponent(RSA_SHA256)}`,
  ];
  const signature = createSign('RSA-SHA256').update(parts.join('&')).sign(privateKey, 'base64');
  return `${location}?${parts.join('&')}&Signature=${encodeURIComponent(signature)}`;
}

/** A message of ours as a peer reads it. */
export interface ReadMessage {
  root: string;
  id: string;
  issuer: string;
  destination: string | null;
  inResponseTo: string | null;
  /** `Success`, `Success/PartialLogout`, ...; null in a request. */
  status: string | null;
  nameId: string | null;
  sessionIndexes: string[];
  relayState: string | null;
}

/** Reads a message, alone or in a SOAP envelope. @throws Error unless the signature inside it is the credential's. */
export function readSigned(xml: string, certificate: string, relayState: string | null = null): ReadMessage {
  const document = new DOMParser().parseFromString(xml, 'text/xml');
  const [signature] = Array.from(document.getElementsByTagNameNS(DS, 'Signature'));
  if (signature === undefined) throw new Error(`not signed: ${xml}`);
  const check = new SignedXml({ publicCert: certificate });
  check.loadSignature(signature);
  if (!check.checkSignature(xml)) throw new Error(`the signature is not good: ${xml}`);
  return read(check.getSignedReferences()[0]!, relayState);
}

/** Reads the message in a URL of ours. @throws Error unless the signature of the query is the certificate's. */
export function readRedirect(url: string, certificate: string): ReadMessage {
  const query = url.slice(url.indexOf('?') + 1).split('&');
  const raw = (name: string): string | undefined => query.find((part) => part.startsWith(`${name}=`));
  const signed = [raw('SAMLRequest') ?? raw('SAMLResponse'), raw('RelayState'), raw('SigAlg')]
    .filter((part) => part !== undefined)
    .join('&');
  const value = (name: string): string | null => new URLSearchParams(query.join('&').replaceAll('+', '%2B')).get(name);
  const isGood = createVerify('RSA-SHA256').update(signed).verify(createPublicKey(certificate), value('Signature')!, 'base64');
  if (!isGood) throw new Error(`the signature of the query is not good: ${url}`);
  const xml = inflateRawSync(Buffer.from(value('SAMLResponse') ?? value('SAMLRequest')!, 'base64')).toString();
  return read(xml, value('RelayState'));
}

function read(xml: string, relayState: string | null): ReadMessage {
  const root = new DOMParser().parseFromString(xml, 'text/xml').documentElement;
  const all = (namespace: string, name: string) => Array.from(root.getElementsByTagNameNS(namespace, name));
  const codes = all(SAMLP, 'StatusCode').map((code) => code.getAttribute('Value')!.split(':').at(-1)!);
  return {
    root: root.localName,
    id: root.getAttribute('ID')!,
    issuer: all(SAML, 'Issuer')[0]!.textContent,
    destination: root.getAttribute('Destination') || null,
    inResponseTo: root.getAttribute('InResponseTo') || null,
    status: codes.length === 0 ? null : codes.join('/'),
    nameId: all(SAML, 'NameID')[0]?.textContent ?? null,
    sessionIndexes: all(SAMLP, 'SessionIndex').map((index) => index.textContent),
    relayState,
  };
}

export const envelope = (xml: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>${xml}</S:Body></S:Envelope>`;
