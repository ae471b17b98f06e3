import { LogoutRequestRefused } from '../../logout-request-refused.js';
import type { LogoutTokenCheck } from '../expectation.js';

const TOKEN_ID = /^[^\p{Cc}\p{Cs}]+$/u;

/** `jti` is a text, so that a second copy can be told; whether it is one is judged where the `jti` are kept. @see BCL-42, BCL-14 */
export const itHasATokenId: LogoutTokenCheck = ({ claims }) => {
  const { jti } = claims;
  if (typeof jti === 'string' && TOKEN_ID.test(jti)) return;
  throw new LogoutRequestRefused('bad_token_id', 'BCL-42', 'jti must be a text that is not empty', `jti is ${typeof jti}`);
};
