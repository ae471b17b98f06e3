import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExeuntError } from '#domain';
import type { EmbeddedLog } from './log.js';
import { identifyProcess, isRunning } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';

/** What we send, and how long we wait for it to act, milliseconds. SIGINT: fast shutdown; SIGQUIT: at once, recovery at the next start. */
const STEPS: readonly [NodeJS.Signals, number][] = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 5_000],
];

/**
 * Ends the server that a killed Exeunt left behind on this cluster. Call with the folder's lock held: then no living
 * Exeunt owns it. A pid that meanwhile belongs to another program is left alone, and its stale file removed, since
 * PostgreSQL would refuse to start for fear of it.
 * @throws ExeuntError `unavailable` when it does not end.
 */
export async function endOrphan(clusterFolder: string, log: EmbeddedLog): Promise<void> {
  const file = join(clusterFolder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8').split('\n', 1)[0] ?? '', 10);
  const found = identifyProcess(pid);
  if (!isRunning(found)) {
    log.info(`the embedded PostgreSQL was not stopped cleanly (stale pid ${pid}): it recovers from its log`);
    return;
  }
  if (!serves(pid, clusterFolder)) {
    log.info(`the pid file of the embedded PostgreSQL names pid ${pid}, which is another program: removed`);
    rmSync(file, { force: true });
    return;
  }
  log.warn(`the embedded PostgreSQL of an earlier run still runs (pid ${pid}): stopping it`);
  await endServer(found);
}

async function endServer(found: ProcessIdentity): Promise<void> {
  for (const [signal, patience] of STEPS) {
    if (!isRunning(found)) return;
    process.kill(found.pid, signal);
    const until = performance.now() + patience;
    while (performance.now() < until) {
      if (!isRunning(found)) return;
      await delay(20);
    }
  }
  throw new ExeuntError(
    'unavailable',
    `The embedded PostgreSQL of an earlier run (pid ${found.pid}) does not end. End it, then start again.`,
  );
}

/** Whether that process is a PostgreSQL on this very cluster: a postmaster works in its data folder. */
function serves(pid: number, clusterFolder: string): boolean {
  const folder = realpathSync(clusterFolder);
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres' && readlinkSync(`/proc/${pid}/cwd`) === folder;
    }
    if (process.platform === 'win32') return /postgres/i.test(execFileSync('tasklist', ['/fi', `pid eq ${pid}`], { encoding: 'utf8' }));
    const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return command.includes('postgres') && (command.includes(folder) || command.includes(clusterFolder));
  } catch {
    return false;
  }
}
