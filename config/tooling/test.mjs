/**
 * `npm test`: prepares the checkout, checks types, style and layers, runs all tests. With arguments, which go to Jest, only
 * the tests. Ends with the line `N passed, N failed`; each check counts as one. Says by name what was left out; with
 * CI=true leaving anything out is a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, prepare } from './prepare.mjs';

const CHECKS = [
  { name: 'types', script: 'typecheck', needs: 'config/tooling/tsconfig.check.json' },
  { name: 'style', script: 'lint', needs: 'config/tooling/eslint.config.mjs' },
  { name: 'layers', script: 'layers', needs: 'config/tooling/layers.cjs' },
];

/** Who runs the suite, and where, is no lack of the machine's: there is always one way it cannot be run at the same time. */
const NO_LACK = /left out: (not root|other users may not read this checkout)$/;

const args = process.argv.slice(2);
const inCi = /^(1|true)$/i.test(process.env.CI ?? '');
const tally = { passed: 0, failed: 0 };
const remarks = [];

try {
  await prepare({ tests: true });
} catch (error) {
  console.error(error.message);
  // Sources that do not compile: many tests still say something.
  if (error.step !== 'build') finish(1);
  fail('The build failed: npm run build');
}

if (args.length === 0) {
  for (const check of CHECKS) {
    if (!existsSync(join(ROOT, check.needs))) {
      leave(`the check of ${check.name}: there is no ${check.needs}`);
      continue;
    }
    console.log(`\nChecking ${check.name} (npm run ${check.script})...`);
    // The commands are those of package.json, run without a second npm between them and us.
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const status = await run(scripts[check.script], [], { shell: true });
    if (status === 0) tally.passed++;
    else fail(`The check of ${check.name} failed: npm run ${check.script}`);
  }
}

const results = mkdtempSync(join(tmpdir(), 'exeunt-results-'));
const output = join(results, 'counts.json');
const status = await run(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
    '-c',
    join(ROOT, 'config', 'tooling', 'jest.config.mjs'),
    ...args,
  ],
  { env: { ...process.env, EXEUNT_TEST_COUNTS: output } },
);
const counts = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : undefined;
rmSync(results, { recursive: true, force: true });

if (counts) {
  tally.passed += counts.passed;
  tally.failed += counts.failed;
  // `npm test -- -t name` or a file leaves out on purpose.
  for (const test of args.length === 0 ? counts.leftOut : counts.leftOut.filter((name) => /no redis-server/.test(name))) leave(test);
  if (status !== 0 && counts.failed === 0) fail(`Jest ended with status ${status}, though no test failed.`);
} else if (status !== 0 || args.length === 0) {
  fail(`Jest ended with status ${status} and without results.`);
}
if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) {
  remarks.push('There is no redis-server on this machine: what needs Redis was left out.');
}
finish(tally.failed === 0 ? 0 : 1);

function fail(remark) {
  tally.failed++;
  remarks.push(remark);
}

function leave(what) {
  if (inCi && !NO_LACK.test(what)) fail(`Left out, which CI=true does not allow: ${what}`);
  else remarks.push(`Left out: ${what}`);
}

function finish(code) {
  console.log('');
  for (const remark of remarks) console.log(remark);
  if (code !== 0 && tally.failed === 0) tally.failed = 1;
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  process.exit(code);
}

/** The status; a signal for us goes on to it, and ends us after it. */
function run(command, argv, options) {
  return new Promise((resolve) => {
    const path = [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(process.platform === 'win32' ? ';' : ':');
    const child = spawn(command, argv, { cwd: ROOT, stdio: 'inherit', ...options, env: { ...(options?.env ?? process.env), PATH: path } });
    const pass = (signal) => {
      child.kill(signal);
      child.once('exit', () => process.exit(signal === 'SIGINT' ? 130 : 143));
    };
    process.on('SIGINT', pass).on('SIGTERM', pass);
    child.once('error', (error) => (console.error(error.message), resolve(1)));
    child.once('exit', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}
