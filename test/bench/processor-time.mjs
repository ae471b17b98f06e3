import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in ticks of 10 ms wherever Node runs on Linux. */
const TICK_MS = 10;

/** Whether processor time can be read here. */
export const canReadProcessorTime = existsSync('/proc/self/stat');

/**
 * Processor time that these processes have used, with what their ended children used. Unlike the clock on the wall it does not depend on who else is busy.
 * @param {readonly { pid: number, withChildren?: boolean }[]} processes `withChildren`: its living children, too, as PostgreSQL has one a connection
 * @returns milliseconds
 */
export function processorMs(processes) {
  let ticks = 0;
  for (const { pid, withChildren } of processes) {
    const pids = withChildren ? [pid, ...childrenOf(pid)] : [pid];
    for (const one of pids) ticks += statOf(one)?.ticks ?? 0;
  }
  return ticks * TICK_MS;
}

function childrenOf(parent) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid)?.parent === parent);
}

function statOf(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // Behind the name, which may hold anything: state, parent, ... 11: utime, stime, cutime, cstime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) };
}
