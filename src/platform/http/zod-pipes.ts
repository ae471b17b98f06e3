import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { ExeuntError } from '#domain';
import { faultsOf, ruleOf } from './faults.js';

/**
 * Untrusted input to the schema's type.
 * @throws ExeuntError `validation` (422) with every fault at once.
 */
export async function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown, what: string): Promise<z.output<Schema>> {
  const result = await schema.safeParseAsync(input, { error: ruleOf });
  if (result.success) return result.data;
  const faults = faultsOf(result.error.issues, input);
  const first = faults[0];
  const named = first ? `: ${first.field || what} ${first.rule}` : '';
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  throw new ExeuntError('validation', `The ${what} is not valid${named}${more}`, faults);
}

/** `@Body(new ZodBody(schema))`: the request body, parsed. */
export class ZodBody<Schema extends z.ZodType> implements PipeTransform<unknown, Promise<z.output<Schema>>> {
  constructor(readonly schema: Schema) {}

  transform(value: unknown): Promise<z.output<Schema>> {
    return parseInput(this.schema, value, 'request body');
  }
}

/** `@Query(new ZodQuery(schema))`: the query string, parsed; a parameter given twice is an array. */
export class ZodQuery<Schema extends z.ZodType> implements PipeTransform<unknown, Promise<z.output<Schema>>> {
  constructor(readonly schema: Schema) {}

  transform(value: unknown): Promise<z.output<Schema>> {
    // The parser's object has no prototype; schemas want a plain one.
    return parseInput(this.schema, { ...(value as object) }, 'query');
  }
}

/** `@Param('id', new ZodParam(schema, 'id'))`: one path parameter, parsed. */
export class ZodParam<Schema extends z.ZodType> implements PipeTransform<unknown, Promise<z.output<Schema>>> {
  constructor(
    readonly schema: Schema,
    readonly name: string,
  ) {}

  transform(value: unknown): Promise<z.output<Schema>> {
    return parseInput(this.schema, value, `path parameter ${this.name}`);
  }
}
