import { parseArgs } from 'node:util';
import type { Backend } from './stage.js';

export const USAGE = `npm run chaos -- [options]

  --logouts N       users who log in everywhere and out (default 5000)
  --sps N           service providers of each user (default 20)
  --backend B       where the queue lives: postgres or redis (default postgres)
  --workers N       worker processes (default 2)
  --kill-every S    seconds between two disasters, counted from when the victim is ready (default 3)
  --minutes M       fails when it is not over by then (default 25)
  --seed N          which disasters, in which order (default 1)`;

export interface ChaosOptions {
  logouts: number;
  sps: number;
  backend: Backend;
  workers: number;
  killEverySeconds: number;
  minutes: number;
  seed: number;
  help: boolean;
}

/** @throws Error that names the option, what was given and what is wanted. */
export function parseOptions(argv: readonly string[]): ChaosOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      logouts: text,
      sps: text,
      backend: text,
      workers: text,
      'kill-every': text,
      minutes: text,
      seed: text,
      help: { type: 'boolean' },
    },
  });
  const number = (name: Exclude<keyof typeof values, 'help'>, fallback: number, least: number): number => {
    const given = values[name];
    if (given === undefined) return fallback;
    const value = Number(given);
    if (given.trim() === '' || !(value >= least)) throw new Error(`--${name} is "${given}"; wanted is a number of at least ${least}`);
    return value;
  };
  const count = (name: Exclude<keyof typeof values, 'help'>, fallback: number, least: number): number => {
    const value = number(name, fallback, least);
    if (!Number.isInteger(value)) throw new Error(`--${name} is "${values[name]}"; wanted is a whole number`);
    return value;
  };
  const backend = values.backend ?? 'postgres';
  if (backend !== 'postgres' && backend !== 'redis') throw new Error(`--backend is "${backend}"; wanted is postgres or redis`);
  return {
    logouts: count('logouts', 5_000, 1),
    sps: count('sps', 20, 2),
    backend,
    workers: count('workers', 2, 1),
    killEverySeconds: number('kill-every', 3, 0.5),
    minutes: number('minutes', 25, 1),
    seed: count('seed', 1, 0),
    help: values.help ?? false,
  };
}
