import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { quotePeer } from '../../quote-peer.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** A text or an array; of several audiences all must be trusted, and we trust only ourselves. @see BCL-36, BCL-11 */
export const theAudienceIsOurClientAlone: LogoutTokenCheck = ({ claims }, { audience }) => {
  const aud: unknown = claims['aud'];
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length > 0 && audiences.every((one) => one === audience)) return;
  const seen = `aud ${quotePeer(JSON.stringify(aud) ?? 'missing', 200)}, wanted ${JSON.stringify(audience)}`;
  throw new LogoutRequestRefused('wrong_audience', 'BCL-36', 'aud must be our client_id and no other', seen);
};
