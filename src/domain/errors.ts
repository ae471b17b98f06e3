/**
 * All errors that Exeunt itself raises. The code is the last part of the problem `type`
 * (`urn:exeunt:problem:<code>`) and never changes its meaning; the status is what HTTP says.
 */
export const ERROR_CODES = {
  validation: 422,
  malformed: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  unknown_parent: 404,
  unknown_session: 404,
  conflict: 409,
  session_ended: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  refused_address: 422,
  bad_upstream: 502,
  unavailable: 503,
  configuration: 500,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One broken rule: the thing, the value seen (never a secret), the value wanted. */
export interface Fault {
  /** JSON pointer or name of the thing, e.g. `/channels/0/uri`. */
  field: string;
  /** What was seen, shortened; `undefined` when it was missing. */
  seen?: unknown;
  /** What is wanted. */
  rule: string;
}

/** The one base of our errors. What a peer does is data, not one of these. */
export class ExeuntError extends Error {
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly faults: readonly Fault[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ExeuntError';
    this.status = ERROR_CODES[code];
  }
}

/** @throws never; narrows. */
export function isExeuntError(error: unknown): error is ExeuntError {
  return error instanceof ExeuntError;
}

/** The text of anything thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
