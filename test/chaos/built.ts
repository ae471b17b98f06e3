import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { Watched } from '../support/process.js';

/** Builds what changed: these tests run the build. `npm test` has done so already; Jest alone has not. */
export async function built(): Promise<void> {
  const prepare = pathToFileURL(join(process.cwd(), 'config', 'tooling', 'prepare.mjs')).href;
  const script = `const { prepare } = await import(${JSON.stringify(prepare)}); await prepare({ tests: true });`;
  const child = new Watched(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, NODE_OPTIONS: '' } });
  const { code } = await child.ending(170_000);
  if (code !== 0) throw new Error(`the build failed:\n${child.output}`);
}
