import { quotePeer } from '#protocol/oidc';
import type { SamlStatus } from '../types.js';

/** What an SP's verified LogoutResponse says of the session. */
export interface LogoutJudgement {
  /** `confirmed`: the session is gone. `partial`: not all could be done. `refused`: a final no. `failed`: may be tried again. */
  result: 'confirmed' | 'partial' | 'refused' | 'failed';
  /** For people: what was said, or is odd; at most 500 characters. */
  error?: string;
}

const ERROR_LIMIT = 500;
const QUOTE_LIMIT = 300;
const MAYBE_GONE = 'perhaps an earlier attempt, whose answer was lost, has ended the session';

/**
 * Judges the status of a LogoutResponse by its words alone. The second-level code is asked first, for products disagree about the top-level one.
 * @param about.attemptNumber of the delivery, from 1: after the first, "no such session" is likely enough to be said to people; it proves
 *   nothing all the same, since a NameID that the SP never knew gets the same answer.
 * @see SLO-16 to SLO-20, docs/decisions/0006-what-a-logout-status-proves.md
 */
export function judgeLogoutStatus(status: SamlStatus, about: { attemptNumber?: number } = {}): LogoutJudgement {
  const said = describe(status);
  const maybeGone = (about.attemptNumber ?? 1) > 1 ? `${said}; ${MAYBE_GONE}` : said;
  // Whatever the top-level code is. @see SLO-19
  if (status.subCode === 'PartialLogout') return { result: 'partial', error: maybeGone };
  if (status.subCode === 'RequestDenied') return { result: 'refused', error: maybeGone };
  if (status.code === 'Success') return status.subCode === null ? { result: 'confirmed' } : { result: 'confirmed', error: said };
  if (status.subCode === 'UnknownPrincipal') return { result: 'refused', error: maybeGone };
  return { result: FINAL.has(status.code) ? 'refused' : 'failed', error: said };
}

/** The fault is in the request, and would be there again. `Responder`, or a code that is not SAML's, is the SP's own trouble and may pass. */
const FINAL: ReadonlySet<string> = new Set(['Requester', 'VersionMismatch']);

function describe({ code, subCode, message }: SamlStatus): string {
  const codes = [code, ...(subCode === null ? [] : [subCode])].map((one) => quotePeer(one, 60)).join('/');
  const quoted = message === null ? '' : quotePeer(message, QUOTE_LIMIT);
  return (quoted === '' ? `answered ${codes}` : `answered ${codes}: ${quoted}`).slice(0, ERROR_LIMIT - MAYBE_GONE.length - 2);
}
