import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { quotePeer } from '../../quote-peer.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** No extension is known here, so that none may be critical. @see BCL-34, RFC 7515 section 4.1.11 */
export const noExtensionIsCritical: LogoutTokenCheck = ({ header }) => {
  if (!Object.hasOwn(header, 'crit')) return;
  const seen = `crit ${quotePeer(JSON.stringify(header['crit']), 80)}`;
  throw new LogoutRequestRefused('critical_extension', 'BCL-34', 'the header must not have crit', seen);
};
