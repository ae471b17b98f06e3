const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]+/gu;
const MARKUP = /<(?:script|style)\b[^>]*>[\s\S]*?<\/(?:script|style)\s*>|<[^>]*>/gi;
/** A JWT begins with `{"` in base64url; and nobody writes words of a hundred characters. */
const TOKEN = /eyJ[\w-]{5,}(?:\.[\w-]*)*|[\w-]{100,}(?:\.[\w-]*)*/g;

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
