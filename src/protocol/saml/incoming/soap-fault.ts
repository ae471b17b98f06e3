/** The SOAP 1.1 fault codes that a receiver may find. @see SLO-59 */
export type SoapFaultCode = 'Client' | 'VersionMismatch' | 'MustUnderstand';

/**
 * What came is no SOAP message that we could take a SAML message from: it is answered with HTTP 500 and a fault, and not with a
 * LogoutResponse. To what came as an answer nothing is said at all.
 * @see SLO-59
 */
export class SoapFault extends Error {
  /** @param description for the peer's operator: the thing, the value seen, the value wanted. */
  constructor(
    readonly faultCode: SoapFaultCode,
    readonly description: string,
    options?: ErrorOptions,
  ) {
    super(`${faultCode}: ${description}`, options);
    this.name = 'SoapFault';
  }
}
