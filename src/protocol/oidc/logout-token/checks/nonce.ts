import { LogoutRequestRefused } from '../../logout-request-refused.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** The member that makes an ID Token of it, whatever its value, null included. @see BCL-41, BCL-18 */
export const itHasNoNonce: LogoutTokenCheck = ({ claims }) => {
  if (Object.hasOwn(claims, 'nonce')) throw new LogoutRequestRefused('nonce_present', 'BCL-41', 'the token must not have a nonce');
};
