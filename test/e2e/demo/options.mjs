import { parseArgs } from 'node:util';

/** The applications of the demo that speak OpenID Connect, and the one that speaks SAML. */
export const RP_NAMES = ['rp1', 'rp2', 'rp3'];
export const SAML_SP_NAME = 'saml-sp';

/** The names `--down` takes. */
export const APPLICATION_NAMES = [...RP_NAMES, SAML_SP_NAME];
/** Where the user may sign out. */
export const STARTS = ['op', 'saml'];

export const USAGE = `npm run demo -- [options]

  --start WHERE        where the user signs out: ${STARTS.join(', ')} (default op; saml: at ${SAML_SP_NAME})
  --down NAME          stop this application (${APPLICATION_NAMES.join(', ')}) before the logout and start it again later
  --down-seconds N     for how long it stays down (1 to 3600; default 20)
  --keep               leave everything running afterwards, to look around; Ctrl-C ends it
  --help               this text`;

/** What the user asked for on the command line was not understood. */
export class UsageError extends Error {}

/**
 * @param {string[]} argv without node and script
 * @returns {{ start: string, down: string | undefined, downSeconds: number, keep: boolean, help: boolean }}
 * @throws {UsageError} naming the option, the value seen and the values wanted
 */
export function parseOptions(argv) {
  const { values } = parse(argv);
  const start = values.start ?? 'op';
  if (!STARTS.includes(start)) throw new UsageError(`--start: "${start}" is not a place to sign out at; one of ${STARTS.join(', ')}`);
  if (values.down !== undefined && !APPLICATION_NAMES.includes(values.down)) {
    throw new UsageError(`--down: "${values.down}" is not an application of the demo; one of ${APPLICATION_NAMES.join(', ')}`);
  }
  if (start === 'saml' && values.down === SAML_SP_NAME) {
    throw new UsageError(`--down ${SAML_SP_NAME}: the user cannot sign out there while it is down; not together with --start saml`);
  }
  const seconds = values['down-seconds'] ?? '20';
  if (!/^\d+$/.test(seconds) || Number(seconds) < 1 || Number(seconds) > 3600) {
    throw new UsageError(`--down-seconds: "${seconds}" is not a whole number from 1 to 3600`);
  }
  if (values['down-seconds'] !== undefined && values.down === undefined) {
    throw new UsageError('--down-seconds needs --down, which says what is to be down');
  }
  return { start, down: values.down, downSeconds: Number(seconds), keep: values.keep ?? false, help: values.help ?? false };
}

function parse(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        start: { type: 'string' },
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
