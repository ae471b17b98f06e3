import { parseArgs } from 'node:util';
import type { FuzzOptions } from './saml-verifier.js';

export const USAGE = `npm run fuzz -- [options]

  --minutes M       how long (default 10)
  --executions N    at most so many messages (default: no limit)
  --seed N          which changes, in which order (default: another one each time; it is printed)`;

/** @throws Error that names the option, what was given and what is wanted. */
export function parseOptions(argv: readonly string[]): FuzzOptions & { help: boolean } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { minutes: text, executions: text, seed: text, help: { type: 'boolean' } } });
  const number = (name: 'minutes' | 'executions' | 'seed', fallback: number): number => {
    const given = values[name];
    if (given === undefined) return fallback;
    const value = Number(given);
    if (given.trim() === '' || !(value >= 0)) throw new Error(`--${name} is "${given}"; wanted is a number of at least 0`);
    return value;
  };
  return {
    minutes: number('minutes', 10),
    executions: number('executions', Infinity),
    seed: number('seed', Date.now() % 1_000_000_000),
    help: values.help ?? false,
  };
}
