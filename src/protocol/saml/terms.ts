/** Names of the SAML 2.0 specifications, as they are written on the wire. */
export const NS = {
  samlp: 'urn:oasis:names:tc:SAML:2.0:protocol',
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  md: 'urn:oasis:names:tc:SAML:2.0:metadata',
  alg: 'urn:oasis:names:tc:SAML:metadata:algsupport',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  xenc: 'http://www.w3.org/2001/04/xmlenc#',
  aslo: 'urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo',
  soap: 'http://schemas.xmlsoap.org/soap/envelope/',
} as const;

export const BINDING_URI = {
  soap: 'urn:oasis:names:tc:SAML:2.0:bindings:SOAP',
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
} as const;

/** @see SLO-6 */
export const REASON = {
  user: 'urn:oasis:names:tc:SAML:2.0:logout:user',
  admin: 'urn:oasis:names:tc:SAML:2.0:logout:admin',
  globalTimeout: 'urn:oasis:names:tc:SAML:2.0:logout:global-timeout',
  spTimeout: 'urn:oasis:names:tc:SAML:2.0:logout:sp-timeout',
} as const;

/** Prefix of every status code of SAML itself. @see SLO-16 */
export const STATUS_PREFIX = 'urn:oasis:names:tc:SAML:2.0:status:';

/** @see SLO-4 */
export const ENTITY_FORMAT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity';
