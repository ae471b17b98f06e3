import type { LogoutTokenCheck } from './expectation.js';
import { theAlgorithmIsTheOneAgreed } from './checks/algorithm.js';
import { theAudienceIsOurClientAlone } from './checks/audience.js';
import { itIsACompactJwsWithAHeader } from './checks/compact-form.js';
import { noExtensionIsCritical } from './checks/critical-extensions.js';
import { itIsEncryptedExactlyWhenAgreed } from './checks/encryption.js';
import { itCarriesTheLogoutEvent } from './checks/event.js';
import { itHasNotExpired } from './checks/expiry.js';
import { itWasIssuedJustNow } from './checks/issued-at.js';
import { theIssuerIsTheRegisteredOne } from './checks/issuer.js';
import { itHasNoNonce } from './checks/nonce.js';
import { theSignatureIsThatOfTheIssuer } from './checks/signature.js';
import { itNamesASessionOrAUser } from './checks/subject.js';
import { itHasATokenId } from './checks/token-id.js';
import { theTypeIsNotThatOfAnotherKindOfToken } from './checks/type.js';

/**
 * All that a logout token must pass, in this order. What the header alone decides comes before the signature, so that a key is
 * never used with an algorithm, or for a kind of token, that was not agreed; nothing of the claims is read before it.
 */
export const LOGOUT_TOKEN_CHECKS: readonly (readonly [clause: string, check: LogoutTokenCheck])[] = [
  ['BCL-33', itIsEncryptedExactlyWhenAgreed],
  ['BCL-34', itIsACompactJwsWithAHeader],
  ['BCL-34', noExtensionIsCritical],
  ['BCL-35', theAlgorithmIsTheOneAgreed],
  ['BCL-44', theTypeIsNotThatOfAnotherKindOfToken],
  ['BCL-34', theSignatureIsThatOfTheIssuer],
  ['BCL-36', theIssuerIsTheRegisteredOne],
  ['BCL-36', theAudienceIsOurClientAlone],
  ['BCL-37', itWasIssuedJustNow],
  ['BCL-38', itHasNotExpired],
  ['BCL-39', itNamesASessionOrAUser],
  ['BCL-40', itCarriesTheLogoutEvent],
  ['BCL-41', itHasNoNonce],
  ['BCL-42', itHasATokenId],
];
