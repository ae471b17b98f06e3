/** Connection exceptions; the server shuts down, was shut down, or starts up; it has no connection left. */
const SQL_STATES = /^(08...|57P0[123]|53300)$/;
const SOCKET_FAULTS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** Faults of `pg` itself have no code. */
const PG_WORDS = /^(Connection terminated|Client (has encountered a connection error|was closed)|timeout exceeded when trying to connect)/;

/** Whether this error of `pg` says nothing about the statement, only that the database cannot be reached now. */
export function isAway(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return SQL_STATES.test(code) || SOCKET_FAULTS.has(code);
  return typeof message === 'string' && PG_WORDS.test(message);
}
