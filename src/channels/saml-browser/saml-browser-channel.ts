import { encodePost, encodeRedirect, newMessageId, signMessage } from '#protocol/saml';
import type { SamlStep } from '#registry';
import type { BrowserChannel, BrowserLeg, Message, PreparedLeg } from '../channel.js';
import { buildSamlLogoutRequest } from '../saml-logout-request.js';
import type { SamlChannelParts, SamlSigning } from '../saml-logout-request.js';

/** A longer URL goes as a form instead, where the SP takes one: servers and proxies cut there. Characters. @see SLO-46 */
const LONGEST_URL = 4_096;

type BrowserBinding = 'redirect' | 'post';

/**
 * Tells an SP by SAML single logout through the person's browser. There is no RelayState: the answer names the request, and what is not sent cannot
 * be swapped.
 * @see SLO-40 to SLO-56
 */
export class SamlBrowserChannel implements BrowserChannel<SamlStep> {
  readonly type: `saml-${BrowserBinding}`;

  constructor(
    private readonly binding: BrowserBinding,
    private readonly parts: SamlChannelParts,
  ) {
    this.type = `saml-${binding}`;
  }

  /** @throws when we cannot sign: no key, or a key that does not suit its algorithm. */
  async prepare(message: Message<SamlStep>): Promise<PreparedLeg> {
    const signing = await this.parts.signers.signerFor(message.idpId);
    const messageId = newMessageId();
    // A browser cannot say that it did not get through, so there is no fail-over to the others. @see SLO-73
    const location = message.channel.endpoints[0]!.location;
    const leg = this.legFor(message, messageId, { binding: this.binding, location }, signing);
    if ('unusable' in leg) return { kind: 'unusable', error: leg.unusable };
    if (leg.method === 'post' || leg.url.length <= LONGEST_URL) return { kind: 'ready', messageId, leg };
    const form = this.asForm(message, messageId, signing);
    return { kind: 'ready', messageId, leg: form ?? leg };
  }

  /** The same message as a form; null when the SP takes none, or may not be told that way. @see SLO-46 */
  private asForm(message: Message<SamlStep>, id: string, signing: SamlSigning): BrowserLeg | null {
    const { config, entity } = message.channel;
    const endpoint = entity.singleLogoutServices.find(({ binding }) => binding === 'post');
    if (endpoint === undefined || !config.bindings.includes('post')) return null;
    const leg = this.legFor(message, id, { binding: 'post', location: endpoint.location }, signing);
    return 'unusable' in leg ? null : leg;
  }

  private legFor(
    message: Message<SamlStep>,
    id: string,
    { binding, location }: { binding: BrowserBinding; location: string },
    { entityId, signer }: SamlSigning,
  ): BrowserLeg | { unusable: string } {
    const { clock, settings } = this.parts;
    const built = buildSamlLogoutRequest(message, {
      id,
      issuer: entityId,
      destination: location,
      now: clock.now(),
      lifetimeSeconds: settings.requestLifetimeSeconds,
    });
    if ('unusable' in built) return built;
    const carried = { location, kind: 'request', relayState: null } as const;
    switch (binding) {
      case 'redirect':
        return { method: 'redirect', url: encodeRedirect({ ...carried, xml: built.xml, signer }) };
      case 'post':
        return { method: 'post', ...encodePost({ ...carried, xml: signMessage(built.xml, signer) }) };
    }
  }
}

/** The channels of both browser bindings. */
export function samlBrowserChannels(parts: SamlChannelParts): SamlBrowserChannel[] {
  return [new SamlBrowserChannel('redirect', parts), new SamlBrowserChannel('post', parts)];
}
