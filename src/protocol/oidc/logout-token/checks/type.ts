import { LOGOUT_TOKEN_TYPE } from '../../logout-token-terms.js';
import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { quotePeer } from '../../quote-peer.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** Media types are compared without case. @see RFC 7515 section 4.1.9 */
const TYPES = new Set([LOGOUT_TOKEN_TYPE, `application/${LOGOUT_TOKEN_TYPE}`, 'jwt']);

/** Many OPs send no `typ`, or `JWT`; a type that names another kind of token is refused. @see BCL-44, BCL-21 */
export const theTypeIsNotThatOfAnotherKindOfToken: LogoutTokenCheck = ({ header }) => {
  const type = header['typ'];
  if (type === undefined || (typeof type === 'string' && TYPES.has(type.toLowerCase()))) return;
  const description = `typ, if present, must be ${LOGOUT_TOKEN_TYPE} or JWT`;
  throw new LogoutRequestRefused('unexpected_type', 'BCL-44', description, `typ ${quotePeer(JSON.stringify(type), 60)}`);
};
