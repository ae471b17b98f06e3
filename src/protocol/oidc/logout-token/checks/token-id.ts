import { LogoutRequestRefused } from '../../logout-request-refused.js';
import type { LogoutTokenCheck } from '../expectation.js';

const TOKEN_ID = /^[^\p{Cc}\p{Cs}]+$/u;
/** It is kept, and an index of Postgres takes no text of any length. Characters. */
const LONGEST = 512;

/** `jti` is a text, so that a second copy can be told; whether it is one is judged where the `jti` are kept. @see BCL-42, BCL-14 */
export const itHasATokenId: LogoutTokenCheck = ({ claims }) => {
  const { jti } = claims;
  if (typeof jti === 'string' && jti.length <= LONGEST && TOKEN_ID.test(jti)) return;
  const seen = typeof jti === 'string' ? `jti has ${jti.length} characters` : `jti is ${typeof jti}`;
  throw new LogoutRequestRefused('bad_token_id', 'BCL-42', `jti must be a text of 1 to ${LONGEST} characters`, seen);
};
