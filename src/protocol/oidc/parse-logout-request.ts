import { LOGOUT_REQUEST_CONTENT_TYPE } from './build-logout-request-body.js';
import { LogoutRequestRefused } from './logout-request-refused.js';
import { quotePeer } from './quote-peer.js';

/** An HTTP request at the back-channel logout endpoint. Untrusted. */
export interface IncomingLogoutRequest {
  method: string;
  /** The Content-Type field, parameters included. */
  contentType?: string;
  /** The raw body, or the form as a parser of the framework left it: a repeated parameter is an array. */
  body: unknown;
}

/**
 * The logout token of a back-channel logout request: POST, a form, `logout_token` exactly once. Other parameters are ignored.
 * @throws LogoutRequestRefused `malformed_request`
 * @see BCL-32
 */
export function parseLogoutRequest({ method, contentType, body }: IncomingLogoutRequest): string {
  if (method !== 'POST') throw malformed('the request must be a POST', `method ${quotePeer(method, 20)}`);
  const mediaType = contentType?.split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType !== LOGOUT_REQUEST_CONTENT_TYPE) {
    throw malformed(`the content type must be ${LOGOUT_REQUEST_CONTENT_TYPE}`, `content type ${quotePeer(contentType ?? 'missing', 80)}`);
  }
  const tokens = tokensOf(body);
  if (tokens.length !== 1) throw malformed('the form must have logout_token exactly once', `logout_token ${tokens.length} times`);
  const [token] = tokens;
  if (typeof token !== 'string' || token === '') throw malformed('logout_token must be a text that is not empty');
  return token;
}

function tokensOf(body: unknown): unknown[] {
  if (typeof body === 'string') return new URLSearchParams(body).getAll('logout_token');
  if (Buffer.isBuffer(body)) return new URLSearchParams(body.toString('utf8')).getAll('logout_token');
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'logout_token')) return [];
  const value: unknown = (body as Record<string, unknown>)['logout_token'];
  return Array.isArray(value) ? value : [value];
}

function malformed(description: string, detail?: string): LogoutRequestRefused {
  return new LogoutRequestRefused('malformed_request', 'BCL-32', description, detail);
}
