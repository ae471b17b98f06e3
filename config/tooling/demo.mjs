/** `npm run demo`: installs and builds where needed, then plays the demo of test/e2e/demo. */
import * as command from '../../test/e2e/demo/options.mjs';
import { runProgram } from './run-program.mjs';

await runProgram(command, {}, async (options) => (await import('../../test/e2e/demo/main.mjs')).runDemo(options));
