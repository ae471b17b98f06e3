/** The lexical rules of XML Schema for what is in a message. */

const START =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const NC_NAME = new RegExp(`^[${START}][${START}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F-\\u2040]*$`, 'u');
/** Four digits of a year, and `Z`: SAML has no other time zone. */
const UTC = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,20}))?Z$/;

/** An xs:ID that somebody could remember. @see SLO-2 */
export function isId(text: string): boolean {
  return text.length <= 256 && NC_NAME.test(text);
}

/** A moment, to the millisecond; null when it is no xs:dateTime in UTC, or a day that no calendar has. @see SLO-3 */
export function utcOf(text: string): Date | null {
  const [, seconds, fraction = ''] = UTC.exec(text) ?? [];
  if (seconds === undefined) return null;
  const date = new Date(`${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 19) !== seconds ? null : date;
}
