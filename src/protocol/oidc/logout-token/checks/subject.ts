import { LogoutRequestRefused } from '../../logout-request-refused.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** Printable ASCII. @see BCL-20 */
const SID = /^[\x20-\x7e]+$/;
/** Any text without control characters: OPs put e-mail addresses and names here, not always in ASCII. */
const SUB = /^[^\p{Cc}\p{Cs}]+$/u;

/** `sub` or `sid` is present, and each that is present is a text that can name something. @see BCL-39, BCL-16 */
export const itNamesASessionOrAUser: LogoutTokenCheck = ({ claims }) => {
  const { sid, sub } = claims;
  const refuse = (description: string) =>
    new LogoutRequestRefused('bad_subject', 'BCL-39', description, `sid is ${typeof sid}, sub is ${typeof sub}`);
  if (sid === undefined && sub === undefined) throw refuse('the token must have sub or sid');
  if (sid !== undefined && !(typeof sid === 'string' && SID.test(sid))) throw refuse('sid must be a text of printable ASCII');
  if (sub !== undefined && !(typeof sub === 'string' && SUB.test(sub))) throw refuse('sub must be a text without control characters');
};
