import type { SamlMessageKind } from '../types.js';
import { MESSAGE_PARAMETER } from './encode-redirect.js';
import { assertRelayStateFits } from './relay-state.js';

export interface PostMessage {
  /** The peer's endpoint. */
  location: string;
  kind: SamlMessageKind;
  /** Signed. @see SLO-49 */
  xml: string;
  /** Of a request at most 80 bytes, for it is ours; of a response what the peer gave, as it came. Null: none. @see SLO-51, SLO-52 */
  relayState: string | null;
}

/**
 * The form that carries a message to the peer by the person's browser. The values are bare: whoever writes them into a page escapes them.
 * @throws ExeuntError `internal` for a RelayState of ours that is too long.
 * @see SLO-47, SLO-48
 */
export function encodePost({ location, kind, xml, relayState }: PostMessage): {
  action: string;
  fields: { name: string; value: string }[];
} {
  if (kind === 'request') assertRelayStateFits(relayState);
  const fields = [{ name: MESSAGE_PARAMETER[kind], value: Buffer.from(xml).toString('base64') }];
  if (relayState !== null) fields.push({ name: 'RelayState', value: relayState });
  return { action: location, fields };
}
