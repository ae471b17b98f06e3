/** The content type of a back-channel logout request. @see BCL-25 */
export const LOGOUT_REQUEST_CONTENT_TYPE = 'application/x-www-form-urlencoded';

/**
 * The body of a back-channel logout request: `logout_token` and nothing else.
 * A compact token needs no escaping: base64url and the dot are unreserved in a form.
 * @see BCL-25
 */
export function buildLogoutRequestBody(token: string): string {
  return `logout_token=${token}`;
}
