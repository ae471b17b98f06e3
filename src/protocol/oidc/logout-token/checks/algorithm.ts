import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { quotePeer } from '../../quote-peer.js';
import type { LogoutTokenCheck } from '../expectation.js';

/**
 * One algorithm, known beforehand, and judged before any key is touched: neither `none`, nor an HMAC keyed with a public key,
 * nor another algorithm for which the OP happens to have a key. @see BCL-35, BCL-22
 */
export const theAlgorithmIsTheOneAgreed: LogoutTokenCheck = ({ header }, { alg }) => {
  if (header['alg'] === alg) return;
  const seen = `alg ${quotePeer(JSON.stringify(header['alg']) ?? 'missing', 40)}`;
  throw new LogoutRequestRefused('unexpected_algorithm', 'BCL-35', `alg must be ${alg}`, seen);
};
