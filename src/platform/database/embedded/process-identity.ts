import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A pid alone names a different process after a restart or a wrap-around; with its start time it does not. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque, comparable on this machine only; empty where the platform cannot tell. */
  started: string;
}

/** Who we are, in the words of {@link isRunning}. */
export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) ?? '' };
}

/** True while that very process runs: not a zombie, not another one that got the same pid. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  if (now === undefined) return false;
  return started === '' || now === '' || now === started;
}

/** `undefined`: no such process (or a zombie); empty: runs, start unknown. */
function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') return startOnLinux(pid);
  if (process.platform === 'win32') return '';
  try {
    const [state, ...start] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } })
      .trim()
      .split(/\s+/);
    return state?.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name, second field, may hold spaces and brackets: count from behind its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    if (state === 'Z' || state === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}:${fields[19]}`;
  } catch (error) {
    return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '') ? undefined : '';
  }
}
