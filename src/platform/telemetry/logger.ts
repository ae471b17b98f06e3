import { hostname } from 'node:os';
import { destination, pino, stdTimeFunctions, type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger } from 'pino';
import { redact, redactLine } from './redact.js';

export type { Logger } from 'pino';

export interface LoggerSettings {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Fields on every line, e.g. the role of the process. */
  base?: Record<string, string | number>;
  /** Where the lines go: standard output unless a test listens. */
  stream?: DestinationStream;
}

type Child = (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger;

/** Lines wait so long for company before they are written; a clean exit writes them out. Milliseconds. */
const FLUSH_EVERY_MS = 100;
const FLUSH_AT_BYTES = 4096;

/** JSON lines on standard output, one an event, secrets removed. A mass logout writes thousands a second, so they are written in blocks. */
export function createLogger(settings: LoggerSettings): Logger {
  const logger = pino(
    {
      level: settings.level,
      base: { service: 'exeunt', pid: process.pid, hostname: hostname(), ...settings.base },
      timestamp: stdTimeFunctions.isoTime,
      errorKey: 'err',
      formatters: {
        level: (level) => ({ level }),
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      // Errors are already plain when they come here.
      serializers: { err: redact },
      hooks: { streamWrite: redactLine },
    },
    settings.stream ?? destination({ dest: 1, sync: false, minLength: FLUSH_AT_BYTES, periodicFlush: FLUSH_EVERY_MS }),
  );
  // pino formats the fields of a child only when each child asks for it; children inherit this one, so none can forget.
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the `this` of each child below
  const plainChild: Child = logger.child;
  const redactingChild: Child = function (bindings, options) {
    return plainChild.call(this, redact(bindings) as Bindings, options);
  };
  return Object.assign(logger, { child: redactingChild });
}
