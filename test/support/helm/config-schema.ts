import { z } from 'zod';
import { configSchema } from '../../../src/platform/config/schema.js';

/** What the chart sets itself, and what must come from a Secret: neither has a place in the values' `config`. */
const NOT_IN_VALUES = ['role', 'dataDir', 'server.host', 'server.port', 'server.publicUrl', 'database.url', 'queue.redisUrl'];
const SECRET_SECTIONS = ['auth.adminToken', 'auth.masterKey'];

type Schema = { [key: string]: unknown; properties?: Record<string, Schema> };

/**
 * The JSON Schema of `config` in the chart's values: the program's own schema, without what the chart refuses there.
 * Nothing is required (the program has the defaults) and no key is known that the program does not know.
 */
export function chartConfigSchema(): Schema {
  const schema = z.toJSONSchema(configSchema, {
    target: 'draft-7',
    io: 'output',
    unrepresentable: 'any',
  }) as Schema;
  delete schema.$schema;
  for (const path of [...NOT_IN_VALUES, ...SECRET_SECTIONS]) remove(schema, path.split('.'));
  const kept = relaxed(schema) as Schema;
  if (JSON.stringify(kept).includes('{}')) throw new Error('a configuration key of the chart has no representation in JSON Schema');
  return kept;
}

function remove(schema: Schema, [key = '', ...below]: string[]): void {
  const properties = schema.properties ?? {};
  if (!(key in properties)) throw new Error(`the program has no configuration key ${key}: take it out of the chart`);
  if (below.length === 0) delete properties[key];
  else remove(properties[key] as Schema, below);
}

/** Without `default` and, but for the items of lists, without `required`. */
function relaxed(value: unknown, inList = false): unknown {
  if (Array.isArray(value)) return value.map((item) => relaxed(item, inList));
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, below] of Object.entries(value)) {
    if (key === 'default') continue;
    if (key === 'required') {
      const properties = (value as Schema).properties ?? {};
      const needed = (below as string[]).filter((name) => properties[name]?.default === undefined);
      if (inList && needed.length > 0) kept.required = needed;
      continue;
    }
    kept[key] = key === 'properties' ? relaxedEach(below as Record<string, unknown>, inList) : relaxed(below, inList || key === 'items');
  }
  return kept;
}

function relaxedEach(properties: Record<string, unknown>, inList: boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([name, below]) => [name, relaxed(below, inList)]));
}
