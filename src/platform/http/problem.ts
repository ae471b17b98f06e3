import { HttpException } from '@nestjs/common';
import { ERROR_CODES, ExeuntError, isExeuntError } from '#domain';
import type { ErrorCode, Fault } from '#domain';

/** The media type of every error. @see RFC 9457 */
export const PROBLEM_JSON = 'application/problem+json';

/** An error as it is sent. `type` is stable; `detail` is for people and may change. @see RFC 9457 section 3.1 */
export interface Problem {
  type: `urn:exeunt:problem:${ErrorCode}`;
  title: string;
  status: number;
  detail: string;
  /** Names the request in the log. */
  instance?: string;
  errors?: readonly Fault[];
}

const TITLES: Record<ErrorCode, string> = {
  validation: 'The request is not valid',
  malformed: 'The request cannot be read',
  unauthorized: 'Authentication is needed',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  method_not_allowed: 'Method not allowed',
  unknown_parent: 'The parent session is not known',
  unknown_session: 'The session is not known',
  conflict: 'Conflict with what is there',
  session_ended: 'The session has ended',
  payload_too_large: 'The request is too large',
  unsupported_media_type: 'The content type is not supported',
  too_many_requests: 'Too many requests',
  refused_address: 'The address is not allowed',
  bad_upstream: 'An upstream server did not answer as it must',
  unavailable: 'Not available now',
  configuration: 'The configuration is wrong',
  internal: 'Internal error',
};

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'payload_too_large',
  414: 'malformed',
  415: 'unsupported_media_type',
  422: 'validation',
  429: 'too_many_requests',
  503: 'unavailable',
};

/** One of our errors from anything thrown; what is not meant for the caller becomes `internal`, with the original as its cause. */
export function toExeuntError(error: unknown): ExeuntError {
  if (isExeuntError(error)) return error;
  const status = statusOf(error);
  const code = status === undefined ? undefined : CODE_OF_STATUS[status];
  if (code === undefined || !(error instanceof Error))
    return new ExeuntError('internal', 'Something went wrong on our side', [], { cause: error });
  return new ExeuntError(code, detailOf(code, error), [], { cause: error });
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status < 500 ? status : undefined;
}

function detailOf(code: ErrorCode, error: Error): string {
  // The parser's message quotes the body, and with it whatever secret is in it.
  if (code === 'malformed' && /JSON|Unexpected|Expected|token/i.test(error.message)) return 'The body is not valid JSON';
  return error.message;
}

/** The wire form. Internals of a 5xx stay in the log, except where the error was written for the caller. */
export function buildProblem(error: ExeuntError, requestId?: string): Problem {
  const hidden = error.code === 'internal' || error.code === 'configuration';
  return {
    type: `urn:exeunt:problem:${error.code}`,
    title: TITLES[error.code],
    status: ERROR_CODES[error.code],
    detail: hidden ? 'Something went wrong on our side. The instance names this request in the log.' : error.message,
    ...(requestId === undefined ? {} : { instance: `urn:exeunt:request:${requestId}` }),
    ...(error.faults.length === 0 ? {} : { errors: error.faults }),
  };
}
