import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { DOMParser } from '@xmldom/xmldom';
import { SignedXml } from 'xml-crypto';
import { makeCredential, newId } from '../support/saml-peer.js';
import type { Credential } from '../support/saml-peer.js';

/** A NameID as `session.joined` takes it. */
export interface IssuedNameId {
  value: string;
  format: string;
  nameQualifier: string;
  spNameQualifier: string;
}

/** One login at one SP. */
export interface Login {
  user: string;
  /** The session at the IdP, which is new with each login: it keeps no cookies. */
  sid: string;
  sp: string;
  nameId: IssuedNameId;
  sessionIndex: string;
}

/** A small SAML identity provider, which signs with a key of its own and knows nothing of logouts. */
export interface SamlIdp extends Credential {
  entityId: string;
  metadata: string;
  logins: Login[];
  /** Told of each login before the browser gets the assertion. */
  onLogin: (login: Login) => Promise<void>;
  close(): Promise<void>;
}

const SCOPE = 'acme.example';
const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
const EXC_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const DS = 'http://www.w3.org/2000/09/xmldsig#';

/** @param entityId of this run alone */
export async function startSamlIdp(entityId: string): Promise<SamlIdp> {
  const credential = makeCredential('idp');
  const logins: Login[] = [];
  const server = createServer((request, response) => {
    void signIn(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sso = `http://127.0.0.1:${port}/sso`;
  const idp: SamlIdp = {
    ...credential,
    entityId,
    metadata: metadataOf(entityId, sso, credential),
    logins,
    onLogin: async () => undefined,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') return page(response, loginForm(new URL(request.url!, sso).searchParams));
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
    const form = new URLSearchParams(body);
    const { id, acs, sp } = readAuthnRequest(form.get('SAMLRequest')!);
    const user = form.get('login')!;
    const login: Login = {
      user,
      sid: newId(),
      sp,
      // A new one each time, as transient ones are. An apostrophe and an ampersand, for they must come back as they were.
      nameId: { value: `${newId()}'&`, format: TRANSIENT, nameQualifier: entityId, spNameQualifier: sp },
      sessionIndex: newId(),
    };
    await idp.onLogin(login);
    logins.push(login);
    const xml = signAssertion(responseOf(idp, login, { inResponseTo: id, acs }), credential);
    page(response, answerForm(acs, Buffer.from(xml).toString('base64'), form.get('RelayState')));
  }
  return idp;
}

function readAuthnRequest(encoded: string): { id: string; acs: string; sp: string } {
  const xml = inflateRawSync(Buffer.from(encoded, 'base64')).toString();
  const root = new DOMParser().parseFromString(xml, 'text/xml').documentElement;
  const [issuer] = Array.from(root.getElementsByTagNameNS('*', 'Issuer'));
  return { id: root.getAttribute('ID')!, acs: root.getAttribute('AssertionConsumerServiceURL')!, sp: issuer!.textContent };
}

function responseOf({ entityId }: SamlIdp, { user, sp, nameId, sessionIndex }: Login, to: { inResponseTo: string; acs: string }): string {
  const now = Date.now();
  const at = (offsetMs: number) => new Date(now + offsetMs).toISOString();
  const issuer = `<saml:Issuer>${escape(entityId)}</saml:Issuer>`;
  return (
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${newId()}" Version="2.0"` +
    ` IssueInstant="${at(0)}" Destination="${escape(to.acs)}" InResponseTo="${escape(to.inResponseTo)}">${issuer}` +
    `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
    `<saml:Assertion ID="${newId()}" Version="2.0" IssueInstant="${at(0)}">${issuer}<saml:Subject>` +
    `<saml:NameID Format="${nameId.format}" NameQualifier="${escape(nameId.nameQualifier)}" SPNameQualifier="${escape(nameId.spNameQualifier)}">${escape(nameId.value)}</saml:NameID>` +
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="${escape(to.inResponseTo)}"` +
    ` Recipient="${escape(to.acs)}" NotOnOrAfter="${at(120_000)}"/></saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${at(-30_000)}" NotOnOrAfter="${at(120_000)}"><saml:AudienceRestriction><saml:Audience>${escape(sp)}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
    `<saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="${sessionIndex}"><saml:AuthnContext>` +
    `<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
    // eduPersonPrincipalName, of which Shibboleth makes REMOTE_USER.
    `<saml:AttributeStatement><saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.6" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">` +
    `<saml:AttributeValue>${escape(user)}@${SCOPE}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>`
  );
}

function signAssertion(xml: string, { privateKey }: Credential): string {
  const signature = new SignedXml({
    privateKey,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: EXC_C14N,
  });
  const assertion = "//*[local-name(.)='Assertion']";
  signature.addReference({
    xpath: assertion,
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms: [`${DS}enveloped-signature`, EXC_C14N],
  });
  signature.computeSignature(xml, { prefix: 'ds', location: { reference: `${assertion}/*[local-name(.)='Issuer']`, action: 'after' } });
  return signature.getSignedXml();
}

/** Its certificate is without `use`, as it is at many: it is for encryption, too. */
function metadataOf(entityId: string, sso: string, { certificate }: Credential): string {
  return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${escape(entityId)}">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:Extensions><shibmd:Scope xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" regexp="false">${SCOPE}</shibmd:Scope></md:Extensions>
    <md:KeyDescriptor><ds:KeyInfo xmlns:ds="${DS}"><ds:X509Data><ds:X509Certificate>${certificate.replace(/-----[A-Z ]+-----|\s/g, '')}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:NameIDFormat>${TRANSIENT}</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${escape(sso)}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`;
}

function loginForm(query: URLSearchParams): string {
  return `<form method="post" action="/sso">${hidden(query)}<input name="login"><input name="password" type="password"><button>Sign in</button></form>`;
}

function answerForm(acs: string, samlResponse: string, relayState: string | null): string {
  const fields = new URLSearchParams({ SAMLResponse: samlResponse, ...(relayState !== null && { RelayState: relayState }) });
  return `<form method="post" action="${escape(acs)}">${hidden(fields)}</form><script>document.forms[0].submit()</script>`;
}

const hidden = (fields: URLSearchParams) =>
  [...fields].map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`).join('');

function page(response: ServerResponse, html: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
