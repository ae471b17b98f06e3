export { LOGOUT_MESSAGE_CHECKS } from './logout-message-checks.js';
export { readClaimedSender } from './read-claimed-sender.js';
export { verifyLogoutMessage } from './verify-logout-message.js';
