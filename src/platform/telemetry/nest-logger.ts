import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** Nest says one line a module and a route at every start: of use only to those who debug the start. */
const STARTUP_CHATTER: ReadonlySet<string> = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Nest's own lines in our log: same fields, same redaction. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /** Nest passes the context last; `error` passes a stack before it. */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    const texts = rest.filter((entry): entry is string => typeof entry === 'string');
    const context = texts.length > 0 && !isStack(texts.at(-1)) ? texts.at(-1) : undefined;
    const stack = texts.find(isStack);
    const details = rest.filter((entry) => typeof entry !== 'string' && entry !== undefined);
    const quiet = level === 'info' && context !== undefined && STARTUP_CHATTER.has(context);
    const fields = { context, stack, ...(details.length > 0 && { details }), ...(typeof message !== 'string' && { err: message }) };
    this.logger[quiet ? 'debug' : level](fields, textOf(message));
  }
}

function isStack(text: string | undefined): boolean {
  return text !== undefined && /\n\s+at /.test(text);
}

function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  const text = (message as { message?: unknown } | null | undefined)?.message;
  return typeof text === 'string' ? text : 'see err';
}
