import type { Verdict } from '#domain';
import type { SamlStatus, SamlMessageRefused } from '#protocol/saml';

/**
 * What the one who asked for a logout is told. The top-level code speaks of the session at the identity provider alone, the second-level one of all others:
 * one that has not been proven gone is not passed over. An SP that may not end the session above its own has not ended it, and is not told so.
 * @see SLO-17, SLO-18, SLO-30
 */
export function statusOf(verdict: Verdict, mayEndRoot: boolean): SamlStatus {
  const code = mayEndRoot ? 'Success' : 'Responder';
  if (!mayEndRoot) {
    return { code, subCode: 'PartialLogout', message: 'the session of this service provider has ended; the one above it goes on' };
  }
  return { code, subCode: verdict === 'complete' ? null : 'PartialLogout', message: null };
}

/** The request would reach a session that this SP may not end. @see SLO-20 */
export const ROOT_REFUSED: SamlStatus = {
  code: 'Responder',
  subCode: 'RequestDenied',
  message: 'this service provider may not end the session at the identity provider',
};

/** The request was good, and we could not do it. @see SLO-16 */
export const OUR_FAULT: SamlStatus = { code: 'Responder', subCode: null, message: 'the logout could not be done; try again' };

/** What a sender that is believed is told of its message. @see SLO-20, SLO-21 */
export function statusOfRefusal(refusal: SamlMessageRefused): SamlStatus {
  if (refusal.code === 'wrong_version') return { code: 'VersionMismatch', subCode: null, message: refusal.description };
  return { code: 'Requester', subCode: refusal.code === 'replayed' ? 'RequestDenied' : null, message: refusal.description };
}
