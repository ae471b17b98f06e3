import { z } from 'zod';
import type { OpenAPIObject } from '@nestjs/swagger';

type Json = Record<string, unknown>;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Schema = Schemas[string];

const named = new Map<string, Json>();

/** Schemas that have an `id` in their meta, by that name: what `#/components/schemas` holds. */
export function namedSchemas(): Schemas {
  return Object.fromEntries(named);
}

/**
 * JSON Schema (2020-12, as OpenAPI 3.1 wants it) of a zod schema. Schemas with an `id` become references to components;
 * one that reads differently as input and output is there as `<id>` and `<id>Input`.
 */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const json = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as Json;
  const { $schema: _, $defs, ...rest } = json;
  const names = new Map<string, string>();
  const definitions = ($defs ?? {}) as Record<string, Json>;
  for (const [name, definition] of Object.entries(definitions)) names.set(name, nameFor(name, definition, io));
  for (const [name, definition] of Object.entries(definitions)) named.set(names.get(name)!, clean(rewrite(definition, names)));
  const own = z.globalRegistry.get(schema)?.id;
  if (own === undefined || '$ref' in rest) return rewrite(rest, names);
  const name = nameFor(own, rest, io);
  named.set(name, clean(rewrite(rest, names)));
  return { $ref: `#/components/schemas/${name}` };
}

/** Makes a named schema known without using it. */
export function addSchema(schema: z.ZodType, io: 'input' | 'output'): void {
  schemaOf(schema, io);
}

const forms = new Map<string, string>();

function nameFor(id: string, definition: Json, io: 'input' | 'output'): string {
  const form = JSON.stringify(definition);
  const taken = forms.get(id);
  if (taken === undefined || taken === form) {
    forms.set(id, form);
    return id;
  }
  return io === 'input' ? `${id}Input` : `${id}Output`;
}

function clean(json: Json): Json {
  const { id: _, ...rest } = json;
  return rest;
}

function rewrite(value: Json, names: ReadonlyMap<string, string>): Json {
  return JSON.parse(JSON.stringify(value), (key: string, part: unknown) => {
    if (key !== '$ref' || typeof part !== 'string' || !part.startsWith('#/$defs/')) return part;
    const name = part.slice('#/$defs/'.length);
    return `#/components/schemas/${names.get(name) ?? name}`;
  }) as Json;
}
