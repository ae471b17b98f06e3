/** A value that somebody set, and where: an environment variable, or a line of the file. */
export interface Setting {
  /** `['server', 'port']`. */
  path: readonly (string | number)[];
  value: unknown;
  /** `PORT`, or `exeunt.yaml:4 server.port`. */
  source: string;
}

/** One key that cannot even be read; `seen` and `rule` as in a fault. */
export interface Unreadable {
  field: string;
  seen?: unknown;
  rule: string;
}

/** What one layer (the file, the environment) says. */
export interface Layer {
  settings: Setting[];
  unreadable: Unreadable[];
}
