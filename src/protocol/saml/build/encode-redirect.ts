import { deflateRawSync } from 'node:zlib';
import { ExeuntError } from '#domain';
import type { SamlMessageKind, SamlSigner } from '../types.js';
import { assertRelayStateFits } from './relay-state.js';
import { SIGNATURE_URI, signOctets } from './signature-algorithms.js';

export const MESSAGE_PARAMETER: Readonly<Record<SamlMessageKind, string>> = { request: 'SAMLRequest', response: 'SAMLResponse' };

export interface RedirectMessage {
  /** The peer's endpoint; may have a query of its own. */
  location: string;
  kind: SamlMessageKind;
  /** Without a signature of its own: the query is signed. @see SLO-41 */
  xml: string;
  /** Of a request at most 80 bytes, for it is ours; of a response what the peer gave, as it came. Null: none. @see SLO-51, SLO-52 */
  relayState: string | null;
  signer: SamlSigner;
}

/**
 * The whole URL that carries a message to the peer by the person's browser.
 * @throws ExeuntError `internal` for a RelayState of ours that is too long or a message with a signature, `configuration` for a key that does not suit.
 * @see SLO-40 to SLO-43
 */
export function encodeRedirect({ location, kind, xml, relayState, signer }: RedirectMessage): string {
  if (kind === 'request') assertRelayStateFits(relayState);
  if (/<(?:\w+:)?Signature[\s>]/.test(xml)) throw new ExeuntError('internal', 'SLO-41: a message for Redirect has no signature of its own');
  const message = deflateRawSync(Buffer.from(xml)).toString('base64');
  // The order is that of the signature, and nothing else is signed. @see SLO-43
  const signed = [
    parameter(MESSAGE_PARAMETER[kind], message),
    ...(relayState === null ? [] : [parameter('RelayState', relayState)]),
    parameter('SigAlg', SIGNATURE_URI[signer.algorithm]),
  ].join('&');
  return withQuery(location, `${signed}&${parameter('Signature', signOctets(signed, signer))}`);
}

function withQuery(location: string, query: string): string {
  const bare = location.replace(/#.*$/s, '');
  if (!bare.includes('?')) return `${bare}?${query}`;
  return /[?&]$/.test(bare) ? `${bare}${query}` : `${bare}&${query}`;
}

function parameter(name: string, value: string): string {
  return `${name}=${percentEncode(value)}`;
}

/** @see RFC 3986 section 2.3: everything but the unreserved characters */
function percentEncode(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
