import type { EgressResult } from '#platform/egress';
import { newMessageId, signMessage, SOAP_ACTION, SOAP_CONTENT_TYPE, wrapSoap } from '#protocol/saml';
import type { SamlStep } from '#registry';
import type { AttemptResult, Message, ServerChannel } from '../channel.js';
import { buildSamlLogoutRequest } from '../saml-logout-request.js';
import type { SamlChannelParts, SamlSigning } from '../saml-logout-request.js';
import type { SamlSoapEgress, SamlSoapSettings } from './ports.js';
import { readSoapAnswer } from './read-soap-answer.js';
import { withoutNameId } from './without-name-id.js';

/** @see SLO-57, SLO-58, SLO-60 */
const HEADERS = Object.freeze({
  'content-type': SOAP_CONTENT_TYPE,
  accept: 'text/xml',
  soapaction: `"${SOAP_ACTION}"`,
  'cache-control': 'no-cache, no-store',
  pragma: 'no-cache',
});

/** Nothing has reached the SP: another of its endpoints may be tried. */
const NOT_CONNECTED: ReadonlySet<string> = new Set(['dns', 'connect', 'tls']);

/**
 * Tells an SP by SAML single logout over SOAP, from server to server. Each attempt is a message of its own, and its result is what the signed answer
 * to this very message says; see {@link readSoapAnswer}.
 * @see SLO-57 to SLO-61
 */
export class SamlSoapChannel implements ServerChannel<SamlStep> {
  readonly type = 'saml-soap';

  constructor(
    private readonly parts: SamlChannelParts<SamlSoapSettings>,
    private readonly egress: SamlSoapEgress,
  ) {}

  /** @throws when we cannot sign: no key, or a key that does not suit its algorithm. */
  async send(message: Message<SamlStep>): Promise<AttemptResult> {
    const signing = await this.parts.signers.signerFor(message.idpId);
    const jti = newMessageId();
    const endAt = this.parts.clock.now().getTime() + message.timeoutMs;
    let result: AttemptResult | undefined;
    // In document order, the next only where this one could not be connected to. @see SLO-73
    for (const { location } of message.channel.endpoints) {
      const timeoutMs = endAt - this.parts.clock.now().getTime();
      if (result && timeoutMs <= 0) break;
      const body = this.write(message, jti, location, signing);
      if ('unusable' in body) return { result: 'unusable', error: body.unusable };
      const sent = await this.egress.send({
        method: 'POST',
        url: location,
        headers: HEADERS,
        body: body.soap,
        timeoutMs: Math.max(1, timeoutMs),
      });
      if (sent.kind === 'response') return this.read(sent, jti, message);
      const failure = failureOf(sent, jti);
      if (sent.kind === 'failed' && !NOT_CONNECTED.has(sent.code)) return failure;
      // A passing failure outweighs a refusal of ours: it may be gone next time.
      if (result?.result !== 'failed') result = failure;
    }
    return result ?? { result: 'unusable', error: 'the metadata has no single logout endpoint for SOAP' };
  }

  private write(message: Message<SamlStep>, id: string, destination: string, { entityId, signer }: SamlSigning) {
    const { clock, settings } = this.parts;
    const built = buildSamlLogoutRequest(message, {
      id,
      issuer: entityId,
      destination,
      now: clock.now(),
      lifetimeSeconds: settings.requestLifetimeSeconds,
    });
    return 'unusable' in built ? built : { soap: wrapSoap(signMessage(built.xml, signer)) };
  }

  private async read(sent: Response, jti: string, message: Message<SamlStep>): Promise<AttemptResult> {
    const { channel, attemptNumber, saml } = message;
    const { clock, settings } = this.parts;
    const result = await readSoapAnswer(sent, { id: jti, channel, attemptNumber, now: clock.now(), settings });
    return { ...withoutNameId(result, saml), jti };
  }
}

type Response = Extract<EgressResult, { kind: 'response' }>;

function failureOf(sent: Exclude<EgressResult, Response>, jti: string): AttemptResult {
  if (sent.kind === 'refused-address') return { result: 'refused', error: sent.error.slice(0, 500) };
  return { result: 'failed', jti, error: `${sent.code}: ${sent.error}`.slice(0, 500) };
}
