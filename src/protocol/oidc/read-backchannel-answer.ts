import { quotePeer } from './quote-peer.js';
import { readRetryAfter } from './read-retry-after.js';

/** An HTTP response of an SP; header names in lower case. Untrusted. */
export interface BackchannelResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What an SP's response to a logout token says of the session. */
export interface BackchannelAnswer {
  /** `confirmed`: the session is gone. `refused`: a final no. `failed`: may be tried again. */
  result: 'confirmed' | 'refused' | 'failed';
  httpStatus: number;
  /** For people: what was wrong, or odd, at most 500 characters. */
  error?: string;
  /** Milliseconds, not capped. */
  retryAfterMs?: number;
}

const ERROR_LIMIT = 500;
const QUOTE_LIMIT = 300;

/** Client errors that pass: the peer gave up waiting, is not ready, or wants less. */
const PASSING = new Set([408, 425, 429]);

/**
 * Judges an SP's response to a logout token by its status alone; the body is read for diagnostics only.
 * A redirect is a fault of the registration and final: it is never followed, and would be the same next time.
 * @see BCL-27, BCL-29, BCL-30
 */
export function readBackchannelAnswer(response: BackchannelResponse, now: Date): BackchannelAnswer {
  const { status } = response;
  if (status === 200 || status === 204) return { result: 'confirmed', httpStatus: status };
  if (status >= 200 && status <= 299)
    return { result: 'confirmed', httpStatus: status, error: `answered ${status} where 200 or 204 is wanted` };
  if (status >= 300 && status <= 399) return { result: 'refused', httpStatus: status, error: redirectText(response) };
  if (status >= 400 && status <= 499 && !PASSING.has(status)) return { result: 'refused', httpStatus: status, error: errorText(response) };
  return {
    result: 'failed',
    httpStatus: status,
    error: errorText(response),
    retryAfterMs: readRetryAfter(response.headers['retry-after'], now),
  };
}

function redirectText({ status, headers }: BackchannelResponse): string {
  const target = headers['location'] ? ` to ${quotePeer(withoutQuery(headers['location']), QUOTE_LIMIT)}` : '';
  return `answered ${status}, a redirect${target}, which is never followed: register the final URI`;
}

/** The query of a redirect may hold what was sent, or a session of somebody. */
function withoutQuery(location: string): string {
  return location.replace(/[?#].*$/s, '');
}

function errorText({ status, headers, body }: BackchannelResponse): string {
  const said = statedError(body) ?? quotePeer(body, QUOTE_LIMIT);
  if (said) return `answered ${status}: ${said}`.slice(0, ERROR_LIMIT);
  return body && headers['content-type'] ? `answered ${status} with ${quotePeer(headers['content-type'], 80)}` : `answered ${status}`;
}

/** `error` and `error_description` of a JSON body, if that is what it is. @see BCL-30 */
function statedError(body: string): string | undefined {
  if (!body.trimStart().startsWith('{')) return undefined;
  let stated: unknown;
  try {
    stated = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { error, error_description: description } = stated as Record<string, unknown>;
  if (typeof error !== 'string') return undefined;
  const code = quotePeer(error, 80);
  return typeof description === 'string' && description ? `${code}: ${quotePeer(description, QUOTE_LIMIT)}` : code;
}
