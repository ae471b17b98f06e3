import type { z } from 'zod';
import type { Fault } from '#domain';
import { showSeen } from './redact.js';

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** The rule that a value broke, in words. Messages that a schema gives itself come before these. */
export function ruleOf(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is required: ${article(issue.expected)}` : `must be ${article(issue.expected)}`;
    case 'too_small':
      return `must be ${issue.exact ? 'exactly' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must be ${issue.exact ? 'exactly' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_format':
      return issue.format === 'regex' ? `must match ${issue.pattern}` : `must be a valid ${issue.format}`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${JSON.stringify(issue.values[0])}`
        : `must be one of: ${issue.values.map(String).join(', ')}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return 'must have one of the allowed shapes';
    default:
      return 'is not valid';
  }
}

function article(expected: string): string {
  const noun = expected === 'int' ? 'integer' : expected;
  return `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  if (origin === 'array' || origin === 'set') return ' items';
  return '';
}

/** JSON pointer of a path; `''` is the whole. @see RFC 6901 */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** All that is wrong with `input`: one fault a broken rule, unknown members each on its own. Secrets are not shown. */
export function faultsOf(issues: readonly z.core.$ZodIssue[], input: unknown): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => fault([...issue.path, key], input, 'is not a known member'));
    return [fault(issue.path, input, issue.message)];
  });
}

function fault(path: readonly PropertyKey[], input: unknown, rule: string): Fault {
  const seen = showSeen(valueAt(input, path), path);
  return { field: pointerOf(path), ...(seen === undefined ? {} : { seen }), rule };
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
