/**
 * `npm run test:interop`: says which third-party products are on this machine, then runs the tests against them, which are part of
 * `npm test`. What is not installed is left out; with CI=true that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, prepare } from './prepare.mjs';

process.chdir(ROOT);
try {
  await prepare({ tests: true });
} catch (error) {
  console.error(error.message);
  // Sources that do not compile: the run below says so, and many tests still say something.
  if (error.step !== 'build') process.exit(1);
}
// Only now: on a fresh clone the packages are there only after `prepare`.
await import('../../test/support/typescript-loader.mjs');
const { PRODUCTS } = await import('../../test/interop/products.ts');

console.log('Third-party products on this machine:');
for (const product of PRODUCTS) {
  const version = product.version();
  console.log(`  ${product.name}: ${version ?? `not installed, its tests are left out (Debian: apt-get install ${product.packages})`}`);
}
const test = join(ROOT, 'config', 'tooling', 'test.mjs');
const { status, error } = spawnSync(process.execPath, [test, 'test/interop', ...process.argv.slice(2)], { stdio: 'inherit' });
if (error) console.error(error.message);
process.exit(status ?? 1);
