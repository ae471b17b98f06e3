import type { EgressRequest, EgressResult } from '#platform/egress';
import type { SamlRequestSettings } from '../saml-logout-request.js';

/** The way out. */
export interface SamlSoapEgress {
  send(request: EgressRequest): Promise<EgressResult>;
}

/** The `saml` part of the configuration. */
export interface SamlSoapSettings extends SamlRequestSettings {
  /** How old an answer may be. Seconds. @see SLO-88 */
  messageMaxAgeSeconds: number;
  /** How far the SP's clock may differ from ours. Seconds. */
  clockSkewSeconds: number;
}
