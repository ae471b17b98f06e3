import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { quotePeer } from '../../quote-peer.js';
import type { LogoutTokenCheck } from '../expectation.js';

/** Byte for byte: no tolerance for a slash or for case. @see BCL-36, BCL-10 */
export const theIssuerIsTheRegisteredOne: LogoutTokenCheck = ({ claims }, { issuer }) => {
  if (claims['iss'] === issuer) return;
  const seen = `iss ${quotePeer(JSON.stringify(claims['iss']) ?? 'missing', 200)}, wanted ${JSON.stringify(issuer)}`;
  throw new LogoutRequestRefused('wrong_issuer', 'BCL-36', 'iss must be the issuer registered here', seen);
};
