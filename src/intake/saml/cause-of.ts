import type { Cause } from '#domain';
import { REASON } from '#protocol/saml';

/**
 * Why a LogoutRequest was sent. An SP that gives no reason passes on what its user did; of an identity provider that gives none nothing is known.
 * Timeouts are the authority's to speak of: an SP's word for one means nothing.
 * @see SLO-6
 */
export function causeOf(reason: string | null, isFromIdp: boolean): Cause {
  switch (reason) {
    case REASON.user:
      return 'user';
    case REASON.admin:
      return 'admin';
    case REASON.globalTimeout:
      return isFromIdp ? 'absolute' : 'unspecified';
    case REASON.spTimeout:
      return isFromIdp ? 'idle' : 'unspecified';
    case null:
      return isFromIdp ? 'unspecified' : 'user';
    default:
      return 'unspecified';
  }
}
