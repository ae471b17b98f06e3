/** `npm run bench`: installs and builds where needed, then runs the bench of test/bench. */
import { prepare } from './prepare.mjs';
import { parseOptions, USAGE, UsageError } from '../../test/bench/options.mjs';

const options = readOptions();
if (options.help) {
  console.log(USAGE);
} else {
  await prepareOrExit();
  // Only now: on a fresh clone its packages are there only after `prepare`.
  const { runBench } = await import('../../test/bench/main.mjs');
  process.exit(await runBench(options));
}

function readOptions() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function prepareOrExit() {
  try {
    // One of its rivals is among the packages of the tests.
    await prepare({ tests: true });
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
