const UNPRINTABLE = /[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]+/g;
const MARKUP = /<(?:script|style)\b[^>]*>[\s\S]*?<\/(?:script|style)\s*>|<[^>]*>/gi;
const TOKEN = /[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)+/g;

/**
 * What a peer wrote, made fit for a ledger or a log: one line, printable, no markup, cut, and without the tokens that it may have echoed.
 * @param limit characters of the answer.
 */
export function quotePeer(text: string, limit: number): string {
  // Cut twice: before, so that a large body costs little; after, for the limit.
  const line = text
    .slice(0, limit * 20)
    .replace(MARKUP, ' ')
    .replace(TOKEN, '[token]')
    .replace(UNPRINTABLE, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 3)}...`;
}
