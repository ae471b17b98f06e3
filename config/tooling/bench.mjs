/** `npm run bench`: installs and builds where needed, then runs the bench of test/bench. */
import * as command from '../../test/bench/options.mjs';
import { runProgram } from './run-program.mjs';

// One of its rivals is among the packages of the tests.
await runProgram(command, { tests: true }, async (options) => (await import('../../test/bench/main.mjs')).runBench(options));
