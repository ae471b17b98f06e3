import { rmSync } from 'node:fs';
import type { SuiteServers } from './suite-servers.js';

/** Ends the suite's servers, and waits until they and their files are gone. */
export default async function globalTeardown(): Promise<void> {
  const servers = (globalThis as { exeuntSuiteServers?: SuiteServers }).exeuntSuiteServers;
  if (!servers) return;
  servers.child.ref();
  servers.child.stdin?.end();
  await servers.exited;
  // Where it failed to come up, it could not clean up either.
  if (process.env.EXEUNT_TEST_SERVERS) rmSync(process.env.EXEUNT_TEST_SERVERS, { recursive: true, force: true });
}
