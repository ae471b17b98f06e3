import { ExeuntError } from '#domain';

/** A certificate or key that cannot be used: what is wrong with it, and nothing of what it holds. */
export function asInvalid(field: string, rule: string): ExeuntError {
  return new ExeuntError('validation', `The key cannot be used: ${field} ${rule}`, [{ field, seen: '[redacted]', rule }]);
}
