import { itIsForUs } from './checks/destination.js';
import { theIssuerIsTheRegisteredOne } from './checks/issuer.js';
import { theAlgorithmsAreAllowed } from './checks/signature-algorithms.js';
import { theSignatureCoversTheMessageAlone } from './checks/signature-form.js';
import { itIsSigned } from './checks/signature-presence.js';
import { theSignatureIsThatOfTheIssuer } from './checks/signature.js';
import { itHasTheStructureOfALogoutMessage } from './checks/structure.js';
import { itIsTimely } from './checks/time.js';
import { theVersionIsTwoPointZero } from './checks/version.js';
import type { LogoutMessageCheck } from './message-in-hand.js';

/** What needs no key. Of a message signed in XML it is judged twice: as it came, to save work, and of the octets that were signed. */
const PLAIN: readonly (readonly [clause: string, check: LogoutMessageCheck])[] = [
  ['SLO-1', itHasTheStructureOfALogoutMessage],
  ['SLO-4', theIssuerIsTheRegisteredOne],
  ['SLO-9', itIsForUs],
];

/** All that a logout message must pass, in this order. @see SLO-81 */
export const LOGOUT_MESSAGE_CHECKS: readonly (readonly [clause: string, check: LogoutMessageCheck])[] = [
  ...PLAIN,
  ['SLO-80', itIsSigned],
  ['SLO-87', theSignatureCoversTheMessageAlone],
  ['SLO-83', theAlgorithmsAreAllowed],
  ['SLO-82', theSignatureIsThatOfTheIssuer],
  ...PLAIN,
  ['SLO-16', theVersionIsTwoPointZero],
  ['SLO-88', itIsTimely],
];
