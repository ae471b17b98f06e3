import { resolve } from 'node:path';
import type { z } from 'zod';
import { ExeuntError } from '#domain';
import type { Fault } from '#domain';
import type { Layer, Setting } from './layers.js';
import { readEnvironment, VARIABLES } from './read-environment.js';
import type { Environment } from './read-environment.js';
import { readConfigFile } from './read-file.js';
import { configSchema } from './schema.js';
import type { Config } from './schema.js';
import { SCHEMA_KEYS } from './schema-keys.js';
import { shown } from './shown.js';

export interface LoadConfigOptions {
  /** Default: the environment of this process. */
  env?: Environment;
  /** What relative paths start from. Default: the working directory. */
  cwd?: string;
}

/**
 * The configuration: the schema's defaults, over them the file that EXEUNT_CONFIG names, over it the environment.
 * `dataDir` comes back absolute. The only reader of the environment.
 * @throws ExeuntError `configuration` with every fault at once: the variable, or the line and key of the file; the
 *   value seen (secrets are not shown); the rule.
 */
export function loadConfig({ env = process.env, cwd = process.cwd() }: LoadConfigOptions = {}): Config {
  const nothing: Layer = { settings: [], unreadable: [] };
  const file = env.EXEUNT_CONFIG ? readConfigFile(env.EXEUNT_CONFIG, cwd) : nothing;
  const environment = readEnvironment(env);
  const settings = [...file.settings, ...environment.settings];

  const result = configSchema.safeParse(merge(settings));
  const faults: Fault[] = [...file.unreadable, ...environment.unreadable];
  if (!result.success) faults.push(...result.error.issues.flatMap((issue) => faultsOf(issue, settings)));
  if (faults.length > 0 || !result.success) throw refuse(faults);
  return { ...result.data, dataDir: resolve(cwd, result.data.dataDir) };
}

/** Later settings win. A section that is set to something else than a mapping stays what it is, for the schema to refuse. */
function merge(settings: readonly Setting[]): Section {
  const merged = emptySection();
  for (const { path, value } of settings) {
    let at: Section | undefined = merged;
    for (const key of path.slice(0, -1)) {
      const below: unknown = (at[key] ??= emptySection());
      if (!isSection(below)) {
        at = undefined;
        break;
      }
      at = below;
    }
    if (at) at[String(path.at(-1))] = value;
  }
  return merged;
}

type Section = Record<string, unknown>;

/** Without a prototype: `__proto__` is a key like any other, and an unknown one. */
function emptySection(): Section {
  return Object.create(null) as Section;
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function faultsOf(issue: z.core.$ZodIssue, settings: readonly Setting[]): Fault[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: nameOf([...path, key], settings), rule: `unknown key; ${knownBeside(path)}` }));
  }
  const rule = issue.message.replace(/^Invalid input: /, '').replace(/^Invalid option: /, '');
  const key = path.join('.');
  return [{ field: nameOf(path, settings), ...seenAt(path, key, settings), rule: rule.charAt(0).toLowerCase() + rule.slice(1) }];
}

/** Who set it last: the environment beats the file. An item of a list is named by its place in it. */
function nameOf(path: readonly string[], settings: readonly Setting[]): string {
  const set = lastUnder(path, settings);
  if (set) {
    const below = set.path.slice(path.length).map((step) => `.${step}`);
    // A whole section of the file is at fault: its line, without the key that happens to be in it.
    if (below.length > 0 && set.source.endsWith(below.join(''))) return set.source.slice(0, -below.join('').length);
    return [set.source, ...path.slice(set.path.length)].join('.');
  }
  const variable = Object.entries(VARIABLES).find(([, key]) => key === path.join('.'))?.[0];
  return variable ? `${variable} (${path.join('.')})` : path.join('.');
}

function seenAt(path: readonly string[], key: string, settings: readonly Setting[]): { seen?: unknown } {
  const set = lastUnder(path, settings);
  if (!set || set.path.length > path.length) return {};
  let value = set.value;
  for (const step of path.slice(set.path.length)) value = (value as Record<string, unknown> | undefined)?.[step];
  return { seen: shown(key, value) };
}

/** The setting at the path, or at the list that holds it, or the first one below it. */
function lastUnder(path: readonly string[], settings: readonly Setting[]): Setting | undefined {
  const above = settings.findLast((setting) => setting.path.length <= path.length && setting.path.every((step, i) => step === path[i]));
  return above ?? settings.findLast((setting) => path.length > 0 && path.every((step, i) => step === setting.path[i]));
}

function knownBeside(path: readonly string[]): string {
  const prefix = path.length === 0 ? '' : `${path.join('.')}.`;
  const known = [...SCHEMA_KEYS.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length).split('.')[0]);
  return known.length === 0 ? 'config/default.yaml describes those that exist' : `here are known: ${[...new Set(known)].join(', ')}`;
}

/** The message names the things; what was seen and what is wanted is in the faults, which whoever reports it shows below. */
function refuse(faults: readonly Fault[]): ExeuntError {
  const title = faults.length === 1 ? 'The configuration has a fault' : `The configuration has ${faults.length} faults`;
  return new ExeuntError('configuration', `${title}: ${faults.map(({ field }) => field).join(', ')}`, faults);
}
