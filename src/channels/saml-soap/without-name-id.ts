import type { SamlSubject } from '#domain';
import type { AttemptResult } from '../channel.js';

/** Shorter ones are part of ordinary words. */
const SHORTEST = 4;

/** A result whose text does not name the person, should the SP have echoed the NameID. */
export function withoutNameId(result: AttemptResult, subject: SamlSubject | null): AttemptResult {
  const value = subject?.nameId.value ?? '';
  if (result.error === undefined || value.length < SHORTEST) return result;
  return { ...result, error: result.error.replaceAll(value, '[NameID]').slice(0, 500) };
}
