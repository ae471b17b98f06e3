/** Seconds since the epoch, fractions allowed; beyond the year 9999 nobody means a date. @see RFC 7519 section 2 */
const LAST = 253_402_300_799;

export function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= LAST;
}
