import { MetadataRefused } from './metadata-refused.js';

const DATE_TIME = /^-?\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/;
const DURATION = /^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const DAY = 86_400_000;
/** Of years and months the shortest that they can be: metadata is read again too early rather than too late. */
const UNITS_MS = [365 * DAY, 28 * DAY, DAY, 3_600_000, 60_000, 1_000] as const;

/** An xs:dateTime in milliseconds; without a zone it is UTC, as SAML has it. Null when there is none. @see SLO-3, SLO-75 */
export function parseValidUntil(text: string | undefined): number | null {
  if (text === undefined) return null;
  const trimmed = text.trim();
  const match = DATE_TIME.exec(trimmed);
  const ms = match ? Date.parse(match[2] === undefined ? `${trimmed}Z` : trimmed) : Number.NaN;
  if (Number.isNaN(ms)) throw new MetadataRefused('document', 'SLO-75', 'validUntil must be a time such as 2030-01-31T00:00:00Z', text);
  return ms;
}

/** An xs:duration in milliseconds; null when there is none. @see SLO-75 */
export function parseCacheDuration(text: string | undefined): number | null {
  if (text === undefined) return null;
  const match = DURATION.exec(text.trim());
  const parts = match?.slice(2);
  if (!match || parts!.every((part) => part === undefined) || text.trim().endsWith('T')) {
    throw new MetadataRefused('document', 'SLO-75', 'cacheDuration must be a duration such as PT6H', text);
  }
  // A negative one says: do not keep it.
  return match[1] === undefined ? UNITS_MS.reduce((sum, unit, at) => sum + unit * Number(parts![at] ?? 0), 0) : 0;
}

/** The earlier of two ends, the shorter of two times; null is none. */
export function least(one: number | null, other: number | null): number | null {
  if (one === null) return other;
  return other === null ? one : Math.min(one, other);
}
