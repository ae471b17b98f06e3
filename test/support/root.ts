import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from '@jest/globals';

export const isRoot = process.getuid?.() === 0;

/** `id -u`, `id -g` of a system account. */
export function accountOf(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A suite about what only root can do, or what is done for root only. One skipped test says that it was left out. */
export function describeAsRoot(name: string, suite: () => void): void {
  if (isRoot) describe(name, suite);
  else describe(name, () => it.skip('left out: not root', () => undefined));
}

/** Whether every user may read that folder; below a home folder with mode 0700 nobody else may. */
export function othersReach(folder: string): boolean {
  for (let at = folder; at !== dirname(at); at = dirname(at)) if ((statSync(at).mode & 0o005) !== 0o005) return false;
  return true;
}
