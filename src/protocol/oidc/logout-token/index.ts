export type { LogoutTokenExpectation } from './expectation.js';
export { LOGOUT_TOKEN_CHECKS } from './logout-token-checks.js';
export { verifyLogoutToken, type VerifiedLogoutToken } from './verify-logout-token.js';
