/**
 * The `wait` of a Prefer header in seconds, at most `limit`; null when there is none. An unreadable preference is ignored, as the RFC says.
 * @see RFC 7240 section 4.3
 */
export function readWaitSeconds(prefer: string | undefined, limit: number): number | null {
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer ?? '')?.[1];
  return seconds === undefined ? null : Math.min(Number(seconds), limit);
}
