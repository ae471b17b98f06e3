import { parseArgs } from 'node:util';

/** What can be asked for with `--only`. */
export const FIGURES = ['throughput', 'intake', 'latency', 'hanging', 'memory', 'saml'];

export const USAGE = `Usage: npm run bench [-- options]

  --only NAME[,NAME]   only these figures: ${FIGURES.join(', ')}
  --quick              small counts and one round: shows that it runs, not how fast it is
  --rounds N           alternating rounds of each figure (3; with --quick 1)
  --backend NAME       only this queue backend: postgres or redis
  --roles NAME         all: one process is Exeunt (the default); split: one takes requests, another sends
  --json               the result as JSON, alone on standard output; what goes on is told on standard error
  --keep               leaves the folder with Exeunt's logs where it is, and says where
  --help`;

/** A fault of the person at the terminal. */
export class UsageError extends Error {}

/** @param {string[]} args */
export function parseOptions(args) {
  const { values } = parse(args);
  const quick = values.quick ?? false;
  const only = values.only === undefined ? FIGURES : values.only.split(',').map((name) => oneOf('--only', name.trim(), FIGURES));
  return {
    help: values.help ?? false,
    quick,
    json: values.json ?? false,
    keep: values.keep ?? false,
    only: new Set(only),
    rounds: values.rounds === undefined ? (quick ? 1 : 3) : count('--rounds', values.rounds),
    backends: values.backend === undefined ? ['postgres', 'redis'] : [oneOf('--backend', values.backend, ['postgres', 'redis'])],
    roles: oneOf('--roles', values.roles ?? 'all', ['all', 'split']),
  };
}

function parse(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  try {
    return parseArgs({
      args,
      options: { only: text, rounds: text, backend: text, roles: text, quick: flag, json: flag, keep: flag, help: flag },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function oneOf(option, value, known) {
  if (known.includes(value)) return value;
  throw new UsageError(`${option} ${JSON.stringify(value)}: there is ${known.join(', ')}`);
}

function count(option, value) {
  if (/^[1-9]\d?$/.test(value)) return Number(value);
  throw new UsageError(`${option} ${JSON.stringify(value)}: wanted a number from 1 to 99`);
}
