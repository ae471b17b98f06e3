import { messageOf } from '#domain';
import { LogoutRequestRefused } from '../../logout-request-refused.js';
import type { LogoutTokenCheck } from '../expectation.js';
import { parseStrictJsonObject } from '../parse-strict-json.js';

const COMPACT_JWS = /^([\w-]+)\.[\w-]*\.[\w-]*$/;

/** Three parts in base64url, of which the first is a JSON object: opens the header. @see BCL-34, RFC 7515 section 7.1 */
export const itIsACompactJwsWithAHeader: LogoutTokenCheck = (token) => {
  const encodedHeader = COMPACT_JWS.exec(token.text)?.[1];
  if (!encodedHeader) throw new LogoutRequestRefused('malformed_token', 'BCL-34', 'the token must be a signed JWT in compact form');
  try {
    token.header = parseStrictJsonObject(Buffer.from(encodedHeader, 'base64url'));
  } catch (error) {
    throw new LogoutRequestRefused('malformed_token', 'BCL-34', 'the header of the token must be a JSON object', messageOf(error));
  }
};
