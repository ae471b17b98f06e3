import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { IDP, usersAt } from '../world.mjs';

const FAN_OUT = 20;
const EVERY_MS = 100;

/** Resident memory of the process that sends, during one mass logout. */
export async function measureMemory(world) {
  const logouts = world.options.quick ? 50 : 1_000;
  const figures = [];
  for (const exeunt of world.exeunts) {
    world.say(`memory: ${logouts * FAN_OUT} sessions end at once on ${exeunt.backend}`);
    const users = usersAt(exeunt.fresh('m'), logouts, FAN_OUT);
    await exeunt.logIn(IDP, users);
    const seen = [];
    const look = setInterval(() => seen.push(residentMiB(exeunt.workerPid)), EVERY_MS);
    seen.push(residentMiB(exeunt.workerPid));
    await exeunt.logOut(IDP, users, 1_000, 1);
    await exeunt.settled();
    clearInterval(look);
    seen.push(residentMiB(exeunt.workerPid));
    const peak = Math.max(...seen);
    figures.push({
      name: `memory/${exeunt.backend}`,
      figure: `memory of the worker while ${logouts * FAN_OUT} sessions end at once, MiB, ${exeunt.backend}`,
      goal: { atMost: 512 },
      ratio: peak,
      isAbsolute: true,
      absolute: { peakMiB: peak, beforeMiB: seen[0], afterMiB: seen.at(-1), sessions: logouts * FAN_OUT },
      shown: ({ beforeMiB, afterMiB }) => `${Math.round(beforeMiB)} before, ${Math.round(afterMiB)} after`,
      rounds: [peak],
    });
  }
  return figures;
}

function residentMiB(pid) {
  const status = `/proc/${pid}/status`;
  if (existsSync(status)) return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))[1]) / 1024;
  return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout) / 1024;
}
