/** Where the embedded server reports. A pino logger fits; lines of PostgreSQL itself arrive at `debug` unless they are worse. */
export interface EmbeddedLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
