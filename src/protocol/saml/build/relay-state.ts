import { ExeuntError } from '#domain';

/** Bytes, not characters. @see SLO-51 */
const LIMIT_BYTES = 80;

/**
 * For a RelayState of our own. One that a peer sent is given back however long it is: whose it is has to know.
 * @throws ExeuntError `internal`
 * @see SLO-51, SLO-52
 */
export function assertRelayStateFits(relayState: string | null): void {
  const bytes = relayState === null ? 0 : Buffer.byteLength(relayState);
  if (bytes > LIMIT_BYTES) throw new ExeuntError('internal', `SLO-51: a RelayState has at most ${LIMIT_BYTES} bytes, this has ${bytes}`);
}
