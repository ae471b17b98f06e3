import { parseArgs } from 'node:util';

/** The applications of the demo; the names `--down` takes. */
export const RP_NAMES = ['rp1', 'rp2', 'rp3'];

export const USAGE = `npm run demo -- [options]

  --down NAME          stop this application (${RP_NAMES.join(', ')}) before the logout and start it again later
  --down-seconds N     for how long it stays down (1 to 3600; default 20)
  --keep               leave everything running afterwards, to look around; Ctrl-C ends it
  --help               this text`;

/** What the user asked for on the command line was not understood. */
export class UsageError extends Error {}

/**
 * @param {string[]} argv without node and script
 * @returns {{ down: string | undefined, downSeconds: number, keep: boolean, help: boolean }}
 * @throws {UsageError} naming the option, the value seen and the values wanted
 */
export function parseOptions(argv) {
  const { values } = parse(argv);
  if (values.down !== undefined && !RP_NAMES.includes(values.down)) {
    throw new UsageError(`--down: "${values.down}" is not an application of the demo; one of ${RP_NAMES.join(', ')}`);
  }
  const seconds = values['down-seconds'] ?? '20';
  if (!/^\d+$/.test(seconds) || Number(seconds) < 1 || Number(seconds) > 3600) {
    throw new UsageError(`--down-seconds: "${seconds}" is not a whole number from 1 to 3600`);
  }
  if (values['down-seconds'] !== undefined && values.down === undefined) {
    throw new UsageError('--down-seconds needs --down, which says what is to be down');
  }
  return { down: values.down, downSeconds: Number(seconds), keep: values.keep ?? false, help: values.help ?? false };
}

function parse(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        down: { type: 'string' },
        'down-seconds': { type: 'string' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
}
