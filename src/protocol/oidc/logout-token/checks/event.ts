import { BACKCHANNEL_LOGOUT_EVENT } from '../../logout-token-terms.js';
import { LogoutRequestRefused } from '../../logout-request-refused.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** `events` is an object with the back-channel member, whose value is an object; other members are ignored. @see BCL-40, BCL-15 */
export const itCarriesTheLogoutEvent: LogoutTokenCheck = ({ claims }) => {
  const { events } = claims;
  if (!isObject(events)) throw new LogoutRequestRefused('bad_event', 'BCL-40', 'events must be a JSON object');
  if (Object.hasOwn(events, BACKCHANNEL_LOGOUT_EVENT) && isObject(events[BACKCHANNEL_LOGOUT_EVENT])) return;
  throw new LogoutRequestRefused('bad_event', 'BCL-40', `events must have ${BACKCHANNEL_LOGOUT_EVENT} with a JSON object`);
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
