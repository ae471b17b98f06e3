import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { isNumericDate } from '../numeric-date.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** Present and in the future; may be missing only where that was agreed, and then the age of `iat` bounds the token. @see BCL-38, BCL-13 */
export const itHasNotExpired: LogoutTokenCheck = ({ claims }, { now, allowMissingExp }) => {
  if (!Object.hasOwn(claims, 'exp') && allowMissingExp) return;
  const exp = claims['exp'];
  if (!isNumericDate(exp)) {
    throw new LogoutRequestRefused(
      'bad_expiry',
      'BCL-38',
      'exp must be a NumericDate',
      exp === undefined ? 'exp is missing' : `exp is ${typeof exp}`,
    );
  }
  const left = exp - now.getTime() / 1000;
  if (left <= 0) throw new LogoutRequestRefused('bad_expiry', 'BCL-38', 'exp must lie in the future', `expired ${-left} s ago`);
};
