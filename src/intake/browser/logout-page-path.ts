/** Below it each browser on its way through a logout has a page of its own. */
export const LOGOUT_PAGE_PATH = 'logout';

/** Its address. @param publicUrl without a slash at its end. */
export function logoutPageUrl(publicUrl: string, token: string): string {
  return `${publicUrl}/${LOGOUT_PAGE_PATH}/${token}`;
}
