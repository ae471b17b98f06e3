import { z } from 'zod';
import { configSchema } from './schema.js';

/** What a value of a key is, so that an environment variable, which is always text, can be read as one. */
export type KeyKind = 'text' | 'list' | 'other';

/** All keys of the schema, `section.key` or `key`, with their kind. */
export const SCHEMA_KEYS: ReadonlyMap<string, KeyKind> = new Map(
  Object.entries(configSchema.shape).flatMap(([name, part]) => keysOf(name, part)),
);

function keysOf(name: string, part: z.ZodType): [string, KeyKind][] {
  const inner = unwrap(part);
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape).flatMap(([key, below]) => keysOf(`${name}.${key}`, below as z.ZodType));
  if (inner instanceof z.ZodArray) return [[name, 'list']];
  return [[name, inner instanceof z.ZodString || inner instanceof z.ZodEnum ? 'text' : 'other']];
}

function unwrap(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional)
    return unwrap(type.unwrap() as z.ZodType);
  if (type instanceof z.ZodPipe) return unwrap(type.in as z.ZodType);
  return type;
}
