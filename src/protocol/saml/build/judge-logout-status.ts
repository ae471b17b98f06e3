import { quotePeer } from '#protocol/oidc';
import type { SamlStatus } from '../types.js';

/** What an SP's verified LogoutResponse says of the session. */
export interface LogoutJudgement {
  /** `confirmed`: the session is gone. `partial`: not all could be done. `refused`: a final no. `failed`: may be tried again. */
  result: 'confirmed' | 'partial' | 'refused' | 'failed';
  /** For people: what was said, or is odd; at most 500 characters. */
  error?: string;
}

/** What the SP may have been told before. */
export interface EarlierAttempts {
  /** One was sent, may have arrived, and its answer was lost. */
  earlierAttemptMayHaveArrived?: boolean;
}

const ERROR_LIMIT = 500;
const QUOTE_LIMIT = 300;

/**
 * Judges the status of a LogoutResponse. The second-level code is asked first, for products disagree about the top-level one.
 * @see SLO-16 to SLO-20, docs/decisions/0006-what-a-logout-status-says.md
 */
export function judgeLogoutStatus(status: SamlStatus, { earlierAttemptMayHaveArrived = false }: EarlierAttempts = {}): LogoutJudgement {
  const said = describe(status);
  switch (status.subCode) {
    case 'PartialLogout':
      return { result: 'partial', error: earlierAttemptMayHaveArrived ? `${said}; ${MAYBE_GONE}` : said };
    case 'RequestDenied':
      return { result: 'refused', error: earlierAttemptMayHaveArrived ? `${said}; ${MAYBE_GONE}` : said };
    case 'UnknownPrincipal':
      if (status.code === 'Success' || earlierAttemptMayHaveArrived) return { result: 'confirmed', error: `${said}: already gone` };
      return { result: 'refused', error: `${said}: it knows nobody by this NameID; is it the one of the assertion?`.slice(0, ERROR_LIMIT) };
  }
  switch (status.code) {
    case 'Success':
      return status.subCode === null ? { result: 'confirmed' } : { result: 'confirmed', error: said };
    case 'Requester':
    case 'VersionMismatch':
      return { result: 'refused', error: said };
    default:
      return { result: 'failed', error: said };
  }
}

const MAYBE_GONE = 'an earlier message whose answer was lost may have ended the session';

function describe({ code, subCode, message }: SamlStatus): string {
  const codes = [code, ...(subCode === null ? [] : [subCode])].map((one) => quotePeer(one, 80)).join('/');
  const quoted = message === null ? '' : quotePeer(message, QUOTE_LIMIT);
  return quoted === '' ? `answered ${codes}` : `answered ${codes}: ${quoted}`;
}
