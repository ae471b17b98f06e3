import { ExeuntError } from '#domain';

/** Bytes, not characters. @see SLO-51 */
const LIMIT_BYTES = 80;

/** Whether a RelayState of ours may be sent. One that came longer than this is given back all the same: whose it is has to know. @see SLO-51, SLO-52 */
export function relayStateFits(relayState: string | null): boolean {
  return relayState === null || Buffer.byteLength(relayState) <= LIMIT_BYTES;
}

/** @throws ExeuntError `internal`: whoever sends it has to ask first. */
export function assertRelayStateFits(relayState: string | null): void {
  if (relayStateFits(relayState)) return;
  throw new ExeuntError('internal', `SLO-51: a RelayState has at most ${LIMIT_BYTES} bytes, this has ${Buffer.byteLength(relayState!)}`);
}
