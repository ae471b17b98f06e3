import { encodePost, encodeRedirect, newMessageId, signMessage } from '#protocol/saml';
import type { SamlEndpoint, SamlSigner } from '#protocol/saml';
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
    binding: BrowserBinding,
    private readonly parts: SamlChannelParts,
  ) {
    this.type = `saml-${binding}`;
  }

  /** @throws when we cannot sign: no key, or a key that does not suit its algorithm. */
  async prepare(message: Message<SamlStep>): Promise<PreparedLeg> {
    const signing = await this.parts.signers.signerFor(message.idpId);
    const messageId = newMessageId();
    // A browser cannot say that it did not get through, so there is no fail-over to the others. @see SLO-73
    const endpoint = message.channel.endpoints[0]!;
    const ready = this.legTo(message, messageId, endpoint, signing);
    if (ready.kind === 'unusable' || ready.leg.method === 'post' || ready.leg.url.length <= LONGEST_URL) return ready;
    return this.asForm(message, messageId, signing) ?? ready;
  }

  /** The same message as a form; null when the SP takes none, or may not be told that way. @see SLO-46 */
  private asForm(message: Message<SamlStep>, id: string, signing: SamlSigning): PreparedLeg | null {
    const { config, entity } = message.channel;
    const endpoint = entity.singleLogoutServices.find(({ binding }) => binding === 'post');
    if (endpoint === undefined || !config.bindings.includes('post')) return null;
    const form = this.legTo(message, id, endpoint, signing);
    return form.kind === 'unusable' ? null : form;
  }

  private legTo(message: Message<SamlStep>, id: string, endpoint: SamlEndpoint, { entityId, signer }: SamlSigning): PreparedLeg {
    const { clock, settings } = this.parts;
    const asynchronous = message.channel.config.asynchronous === true && endpoint.supportsAsynchronous === true;
    const built = buildSamlLogoutRequest(message, {
      id,
      issuer: entityId,
      destination: endpoint.location,
      now: clock.now(),
      lifetimeSeconds: settings.requestLifetimeSeconds,
      asynchronous,
    });
    if ('unusable' in built) return { kind: 'unusable', error: built.unusable };
    return { kind: 'ready', messageId: id, expectsAnswer: !asynchronous, leg: legOf(endpoint, built.xml, signer) };
  }
}

function legOf({ binding, location }: SamlEndpoint, xml: string, signer: SamlSigner): BrowserLeg {
  const carried = { location, kind: 'request', relayState: null } as const;
  if (binding === 'post') return { method: 'post', ...encodePost({ ...carried, xml: signMessage(xml, signer) }) };
  return { method: 'redirect', url: encodeRedirect({ ...carried, xml, signer }) };
}

/** The channels of both browser bindings. */
export function samlBrowserChannels(parts: SamlChannelParts): SamlBrowserChannel[] {
  return [new SamlBrowserChannel('redirect', parts), new SamlBrowserChannel('post', parts)];
}
