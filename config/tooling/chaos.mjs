/** `npm run chaos`: installs and builds where needed, then kills everything that takes part in logouts and counts what was lost. */
import { ROOT, prepare } from './prepare.mjs';

process.chdir(ROOT);
try {
  await prepare({ tests: true });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
// Only now: on a fresh clone the packages are there only after `prepare`.
await import('../../test/support/typescript-loader.mjs');
const { runChaos } = await import('../../test/chaos/main.ts');
process.exit(await runChaos(process.argv.slice(2)));
