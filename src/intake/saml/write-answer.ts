import type { Clock } from '#domain';
import { buildLogoutResponse, encodePost, encodeRedirect, newMessageId, signMessage, wrapSoap } from '#protocol/saml';
import type { SamlEndpoint, SamlStatus } from '#protocol/saml';
import type { BrowserAnswer } from '../browser-answer.js';
import type { Party } from './party.js';
import type { OurKeys } from './ports.js';

/** A longer URL goes as a form instead, where the peer takes one. Characters. @see SLO-46 */
const LONGEST_URL = 4_096;

/** A LogoutResponse that is owed. */
export interface OwedAnswer {
  idpId: string;
  to: Party;
  /** ID of the request. @see SLO-13 */
  inResponseTo: string;
  status: SamlStatus;
}

/** Writes our LogoutResponses: always signed, and sent to where the peer's metadata says, wherever its message asked for. @see SLOX-20 */
export class WriteAnswer {
  constructor(
    private readonly keys: Pick<OurKeys, 'signerFor'>,
    private readonly clock: Clock,
  ) {}

  /** The SOAP envelope. */
  async overSoap(owed: OwedAnswer): Promise<string> {
    const { xml, signer } = await this.build(owed);
    return wrapSoap(signMessage(xml, signer));
  }

  /**
   * Over the binding by which the request came, if the peer takes answers that way, else over another one. @see SLO-52, SLO-56, SLO-72
   * @param front.relayState as it came: it is the peer's own. @see SLO-51
   * @returns null when its metadata names no address for a browser.
   */
  async overBrowser(owed: OwedAnswer, front: { binding: 'redirect' | 'post'; relayState: string | null }): Promise<BrowserAnswer | null> {
    const [first, second] = front.binding === 'post' ? (['post', 'redirect'] as const) : (['redirect', 'post'] as const);
    const endpoint = endpointOf(owed.to, first) ?? endpointOf(owed.to, second);
    if (endpoint === undefined) return null;
    const answer = await this.encode(owed, endpoint, front.relayState);
    if (answer.method === 'post' || answer.url.length <= LONGEST_URL) return answer;
    const form = endpointOf(owed.to, 'post');
    return form ? this.encode(owed, form, front.relayState) : answer;
  }

  private async encode(owed: OwedAnswer, endpoint: SamlEndpoint, relayState: string | null): Promise<BrowserAnswer> {
    const location = endpoint.responseLocation ?? endpoint.location;
    const { xml, signer } = await this.build(owed, location);
    const kind = 'response';
    if (endpoint.binding === 'redirect') return { method: 'redirect', url: encodeRedirect({ location, kind, xml, relayState, signer }) };
    return { method: 'post', ...encodePost({ location, kind, xml: signMessage(xml, signer), relayState }) };
  }

  private async build({ idpId, to, inResponseTo, status }: OwedAnswer, destination?: string) {
    const { entityId, participantEntityId, signer } = await this.keys.signerFor(idpId);
    const xml = buildLogoutResponse({
      id: newMessageId(),
      // Towards SPs we answer for the identity provider, towards it we are one of its SPs.
      issuer: to.spId === null ? participantEntityId : entityId,
      ...(destination === undefined ? {} : { destination }),
      issueInstant: this.clock.now(),
      inResponseTo,
      status,
    });
    return { xml, signer };
  }
}

function endpointOf({ entity }: Party, binding: 'redirect' | 'post'): SamlEndpoint | undefined {
  return entity.singleLogoutServices.find((endpoint) => endpoint.binding === binding);
}
