const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** However long a cacheDuration is: a key that is taken back must not be believed for weeks. */
const LONGEST_MS = DAY_MS;

/**
 * When a document that was just read is fetched again: after its cacheDuration, which counts between the floor and a day, but with half of
 * the time left that it is valid for, so that there is time to try again.
 * @param floorMs `saml.metadataRefreshSeconds`; also what is taken when the document says nothing.
 * @param random 0 to 1: not all of them come at once.
 * @see SLO-75
 */
export function nextRefresh(
  now: Date,
  document: { validUntil: string | null; cacheDurationMs: number | null },
  floorMs: number,
  random: number,
): Date {
  const wanted = Math.min(Math.max(document.cacheDurationMs ?? floorMs, floorMs), Math.max(LONGEST_MS, floorMs));
  const left = document.validUntil === null ? Infinity : Date.parse(document.validUntil) - now.getTime();
  const delay = Math.max(Math.min(wanted, left / 2), MINUTE_MS);
  return new Date(now.getTime() + delay * (0.9 + random * 0.1));
}

/** When a fetch that failed so often in a row is tried again: after 1, 2, 4 ... minutes, at most the floor. */
export function nextTry(now: Date, failures: number, floorMs: number, random: number): Date {
  const delay = Math.min(MINUTE_MS * 2 ** Math.min(failures - 1, 20), Math.max(floorMs, MINUTE_MS));
  return new Date(now.getTime() + delay * (0.9 + random * 0.1));
}
