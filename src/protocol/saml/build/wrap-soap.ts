import { NS } from '../terms.js';
import { writeElement, writeText } from './write-xml.js';

/** Of requests and responses. @see SLO-57 */
export const SOAP_CONTENT_TYPE = 'text/xml; charset=utf-8';
/** Its value must not matter to the responder, but HTTP wants the field. @see SLO-58 */
export const SOAP_ACTION = 'http://www.oasis-open.org/committees/security';

/** What a peer's SOAP message was wrong in. `Server`: it was not, we are. @see SLO-59 */
export interface SoapFaultContent {
  faultCode: 'Client' | 'Server' | 'VersionMismatch' | 'MustUnderstand';
  /** For people; no secret. */
  description: string;
}

/**
 * A SOAP 1.1 envelope with one message and nothing else.
 * @param xml as `signMessage` makes it: without an XML declaration.
 * @see SLO-57
 */
export function wrapSoap(xml: string): string {
  return writeElement('soap:Envelope', { 'xmlns:soap': NS.soap }, writeElement('soap:Body', {}, xml));
}

/** Goes with HTTP 500, and never in reaction to a response. @see SLO-59, SOAP 1.1 section 4.4 */
export function buildSoapFault({ faultCode, description }: SoapFaultContent): string {
  const code = writeElement('faultcode', {}, `soap:${faultCode}`);
  return wrapSoap(writeElement('soap:Fault', {}, code, writeElement('faultstring', {}, writeText(description))));
}
