import { randomBytes } from 'node:crypto';

/** 160 bits. @see SLO-2 */
const RANDOM_BYTES = 20;

/** A new ID of a message: an xs:ID, which begins with no digit, and that nobody can guess. @see SLO-2 */
export function newMessageId(): string {
  return `_${randomBytes(RANDOM_BYTES).toString('hex')}`;
}
