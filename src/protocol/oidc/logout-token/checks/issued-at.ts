import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { isNumericDate } from '../numeric-date.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** Present, not in the future beyond the skew, not too old. @see BCL-37, BCL-12 */
export const itWasIssuedJustNow: LogoutTokenCheck = ({ claims }, { now, skewSeconds, maxAgeSeconds }) => {
  const iat = claims['iat'];
  if (!isNumericDate(iat)) throw new LogoutRequestRefused('bad_issued_at', 'BCL-37', 'iat must be a NumericDate', `iat is ${typeof iat}`);
  const age = now.getTime() / 1000 - iat;
  if (age < -skewSeconds) {
    throw new LogoutRequestRefused(
      'bad_issued_at',
      'BCL-37',
      'iat must not lie in the future',
      `${-age} s ahead, ${skewSeconds} s allowed`,
    );
  }
  if (age > maxAgeSeconds) {
    throw new LogoutRequestRefused('bad_issued_at', 'BCL-37', 'iat must not be that old', `${age} s old, ${maxAgeSeconds} s allowed`);
  }
};
