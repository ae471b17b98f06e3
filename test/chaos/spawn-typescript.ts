import { join } from 'node:path';
import { Watched } from '../support/process.js';

/** Runs one of our TypeScript files as a process of its own. @param file from the root of the checkout. */
export function spawnTypeScript(file: string, args: readonly string[] = []): Watched {
  const root = process.cwd();
  const loader = join(root, 'test', 'support', 'typescript-loader.mjs');
  return new Watched(process.execPath, ['--import', loader, join(root, file), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' },
  });
}
