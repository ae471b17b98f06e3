import { certificateBody } from './certificate.mjs';
import { escapeXml, parseXml } from './saml-xml.mjs';

const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata';
const BINDINGS = 'urn:oasis:names:tc:SAML:2.0:bindings';
const FRESH_FOR_MS = 30_000;

/** The metadata of the demo's IdP itself: who it is, its certificate, and where it takes logins. Of logouts it knows nothing: those are Exeunt's. */
export function idpMetadata({ entityId, certificate, ssoUrl }) {
  return `<md:EntityDescriptor xmlns:md="${METADATA}" entityID="${escapeXml(entityId)}">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificateBody(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>
    <md:SingleSignOnService Binding="${BINDINGS}:HTTP-Redirect" Location="${escapeXml(ssoUrl)}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`;
}

/**
 * node-saml writes metadata with one logout address, for POST. The application serves three bindings there.
 * @param {string} metadata of node-saml @param {{ front: string, soap: string }} addresses
 */
export function withLogoutAddresses(metadata, { front, soap }) {
  const written = /<SingleLogoutService [^>]*\/>/;
  if (!written.test(metadata)) throw new Error('node-saml wrote no SingleLogoutService');
  const service = (binding, location) => `<SingleLogoutService Binding="${BINDINGS}:${binding}" Location="${escapeXml(location)}"/>`;
  return metadata.replace(written, () =>
    [service('SOAP', soap), service('HTTP-Redirect', front), service('HTTP-POST', front)].join('\n    '),
  );
}

/** The IdP as its published metadata shows it now: read again from time to time, for certificates change. */
export class IdpMetadata {
  #url;
  #read;
  #freshUntil = 0;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /** @returns {Promise<{ certificates: string[], ssoUrl: string, sloUrl: string }>} certificates in base64 */
  async get() {
    if (Date.now() >= this.#freshUntil) {
      try {
        this.#read = readIdpMetadata(await fetchText(this.#url));
        this.#freshUntil = Date.now() + FRESH_FOR_MS;
      } catch (error) {
        if (this.#read === undefined) throw error;
        console.error(`${this.#url} cannot be had (${error.message}); what it said before holds on`);
      }
    }
    return this.#read;
  }
}

function readIdpMetadata(xml) {
  const [role] = elements(parseXml(xml), 'IDPSSODescriptor');
  if (role === undefined) throw new Error('there is no IDPSSODescriptor in it');
  const byRedirect = (name) =>
    elements(role, name)
      .find((service) => service.getAttribute('Binding') === `${BINDINGS}:HTTP-Redirect`)
      ?.getAttribute('Location');
  const certificates = elements(role, 'KeyDescriptor')
    .filter((key) => key.getAttribute('use') !== 'encryption')
    .flatMap((key) => Array.from(key.getElementsByTagNameNS('*', 'X509Certificate')))
    .map((certificate) => certificate.textContent.replace(/\s/g, ''));
  return { certificates, ssoUrl: byRedirect('SingleSignOnService'), sloUrl: byRedirect('SingleLogoutService') };
}

function elements(parent, name) {
  return Array.from(parent.getElementsByTagNameNS(METADATA, name));
}

async function fetchText(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}
