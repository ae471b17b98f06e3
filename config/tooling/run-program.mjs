import { prepare } from './prepare.mjs';

/**
 * Is a command of package.json: reads its options, installs and builds where needed, runs, and ends with its exit code.
 * @param {{ parseOptions(args: string[]): { help?: boolean }, USAGE: string, UsageError: new (...args: never[]) => Error }} command
 *   its options; they are read without any package, so that `--help` works on a fresh clone.
 * @param {{ tests?: boolean }} needs see `prepare`.
 * @param {(options: object) => Promise<number>} run loads what needs packages only when it is called. Its answer is the exit code.
 */
export async function runProgram({ parseOptions, USAGE, UsageError }, needs, run) {
  let options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
  if (options.help) {
    console.log(USAGE);
    return;
  }
  try {
    await prepare(needs);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  process.exit(await run(options));
}
