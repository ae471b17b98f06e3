/** `npm run fuzz`: installs and builds where needed, then changes SAML messages by chance and sees whether any is wrongly believed. */
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
const { runFuzz } = await import('../../test/fuzz/main.ts');
process.exit(await runFuzz(process.argv.slice(2)));
