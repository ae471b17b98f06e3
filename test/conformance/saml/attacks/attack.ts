import type { RefusalCode, SamlBinding, SamlMessageKind, SoapFaultCode } from '#protocol/saml';
import { envelope } from './wire.js';

/** With what it is refused: as a SAML message, or as a SOAP message already. */
export type Refusal = RefusalCode | `fault ${SoapFaultCode}`;

/** How it is kept: the query of a URL as it is, an envelope as it is, a form as it is, or the XML that a field of a form has in base64. */
export type Wire = 'query' | 'envelope' | 'form' | 'xml';

export interface Attack {
  name: string;
  /** The row of the checklist that it tries. */
  clause: string;
  binding: SamlBinding;
  kind: SamlMessageKind;
  /** Null: it is none, but an original that must be believed, so that not everything is refused for a wrong reason. */
  refusal: Refusal | null;
  wire: Wire;
  text: string;
}

/** Of one XML two documents: over POST, and over SOAP. */
export function overPostAndSoap(
  name: string,
  clause: string,
  kind: SamlMessageKind,
  refusal: RefusalCode,
  xml: string,
  soapRefusal: Refusal = refusal,
): Attack[] {
  return [overPost(name, clause, kind, refusal, xml), overSoap(name, clause, kind, soapRefusal, envelope(xml))];
}

export function overPost(name: string, clause: string, kind: SamlMessageKind, refusal: Refusal | null, xml: string): Attack {
  return { name: `post-${kind}-${name}`, clause, binding: 'post', kind, refusal, wire: 'xml', text: xml };
}

export function overSoap(name: string, clause: string, kind: SamlMessageKind, refusal: Refusal | null, text: string): Attack {
  return { name: `soap-${kind}-${name}`, clause, binding: 'soap', kind, refusal, wire: 'envelope', text };
}

export function overRedirect(name: string, clause: string, kind: SamlMessageKind, refusal: Refusal | null, text: string): Attack {
  return { name: `redirect-${kind}-${name}`, clause, binding: 'redirect', kind, refusal, wire: 'query', text };
}
