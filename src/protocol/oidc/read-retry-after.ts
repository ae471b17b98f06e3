const SECONDS = /^\d{1,10}$/;
/** IMF-fixdate, and the two obsolete forms that a recipient still has to read. @see RFC 9110 section 5.6.7 */
const HTTP_DATE =
  /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT|[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/;

/**
 * How long a peer asked to be left alone, from the value of its Retry-After field: seconds or an HTTP date.
 * @returns milliseconds, never negative, not capped; `undefined` when the field is missing or says nothing.
 * @see BCL-27, RFC 9110 section 10.2.3
 */
export function readRetryAfter(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (SECONDS.test(text)) return Number(text) * 1000;
  if (!HTTP_DATE.test(text)) return undefined;
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
