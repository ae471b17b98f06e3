/** `npm run demo`: installs and builds where needed, then plays the demo of test/e2e/demo. */
import { prepare } from './prepare.mjs';
import { parseOptions, USAGE, UsageError } from '../../test/e2e/demo/options.mjs';

const options = readOptions();
if (options.help) {
  console.log(USAGE);
} else {
  await prepareOrExit();
  // Only now: on a fresh clone its packages are there only after `prepare`.
  const { runDemo } = await import('../../test/e2e/demo/main.mjs');
  process.exit(await runDemo(options));
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
    await prepare();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
