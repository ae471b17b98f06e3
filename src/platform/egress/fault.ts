import { ExeuntError } from '#domain';

/** Why no response came. `refused-address` means that no socket was opened. */
export type FaultKind = 'refused-address' | 'dns' | 'connect' | 'tls' | 'timeout' | 'reset' | 'protocol';

/** Travels through undici from the connector to the one who asked; never leaves this folder. */
export class EgressFault extends Error {
  constructor(
    readonly fault: FaultKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EgressFault';
  }
}

/** Sorts whatever a socket or the HTTP parser raised after the connection stood. Our own faults come back as an {@link ExeuntError}. */
export function faultOf(error: Error): EgressFault | ExeuntError {
  if (error instanceof EgressFault) return error;
  const code = codeOf(error);
  if (code === 'UND_ERR_INVALID_ARG')
    return new ExeuntError('internal', `not a valid HTTP request: ${textOf(error)}`, [], { cause: error });
  if (/^UND_ERR_(CLOSED|DESTROYED)$/.test(code)) return new ExeuntError('unavailable', 'egress is closed: the process is stopping');
  // The parser's errors have a code only sometimes.
  if (error.name === 'HTTPParserError' || /^UND_ERR_(HEADERS_OVERFLOW|RES_|NOT_SUPPORTED|INFO)/.test(code))
    return new EgressFault('protocol', textOf(error), { cause: error });
  return new EgressFault('reset', textOf(error), { cause: error });
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Message with its code, for people; when several addresses were tried, one message each. At most 300 characters. */
export function textOf(error: unknown): string {
  // By shape, not by class: errors of Node's own core are of another realm where modules run in a VM.
  const several = (error as { errors?: unknown } | null)?.errors;
  const texts = (Array.isArray(several) && several.length > 0 ? (several as unknown[]) : [error]).map((part) => {
    const text = (part as { message?: unknown } | null)?.message;
    const message = (typeof text === 'string' ? text : String(part)).replace(/\s+/g, ' ').trim();
    const code = codeOf(part);
    return code === '' || message.includes(code) ? message : `${message} (${code})`;
  });
  return [...new Set(texts)].join('; ').slice(0, 300);
}
