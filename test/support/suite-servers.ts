import type { ChildProcess } from 'node:child_process';

/** What the global set-up hands to the global tear-down. */
export interface SuiteServers {
  child: ChildProcess;
  exited: Promise<void>;
}
