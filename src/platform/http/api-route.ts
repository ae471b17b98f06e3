import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ERROR_CODES } from '#domain';
import type { ErrorCode } from '#domain';
import { addSchema, schemaOf } from './json-schemas.js';
import { PROBLEM_JSON } from './problem.js';

/** The wire form of every error. @see RFC 9457 */
export const problemSchema = z
  .object({
    type: z.string().describe('Stable: `urn:exeunt:problem:<code>`'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('For people; may change'),
    instance: z.string().optional().describe('Names the request in the log'),
    errors: z
      .array(
        z.object({
          field: z.string().describe('JSON pointer'),
          seen: z.unknown().optional().describe('What was seen; never a secret'),
          rule: z.string().describe('What is wanted'),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem' });

export interface ApiRouteOptions {
  summary: string;
  description?: string;
  tag?: string;
  /** The schema given to {@link ZodBody}. */
  body?: z.ZodType;
  bodyType?: 'application/json' | 'application/x-www-form-urlencoded' | 'text/xml';
  /** The schema given to {@link ZodQuery}: an object. */
  query?: z.ZodObject;
  /** What is answered: the schema of the body, or null where there is none. */
  responses: Record<number, { description: string; schema?: z.ZodType; contentType?: string }>;
  /** Errors worth naming; 401, 403, 422 and 429 are told for every route of /v1. */
  errors?: readonly ErrorCode[];
}

/** Describes a route in OpenAPI from the very schemas that parse it. */
export function ApiRoute(options: ApiRouteOptions): MethodDecorator {
  const decorators: MethodDecorator[] = [
    ApiOperation({ summary: options.summary, ...(options.description === undefined ? {} : { description: options.description }) }),
  ];
  if (options.tag !== undefined) decorators.push(ApiTags(options.tag));
  if (options.body !== undefined) decorators.push(describeBody(options.body, options.bodyType ?? 'application/json'));
  if (options.query !== undefined) decorators.push(...describeQuery(options.query));
  for (const [status, response] of Object.entries(options.responses)) {
    const content = response.schema && { [response.contentType ?? 'application/json']: { schema: schemaOf(response.schema, 'output') } };
    decorators.push(ApiResponse({ status: Number(status), description: response.description, ...(content ? { content } : {}) }));
  }
  decorators.push(...describeErrors(options.errors ?? []));
  return applyDecorators(...decorators);
}

function describeBody(schema: z.ZodType, type: string): MethodDecorator {
  return (target: object, key: string | symbol, descriptor: PropertyDescriptor) => {
    ApiBody({ required: true, schema: schemaOf(schema, 'input') })(target, key, descriptor);
    Reflect.defineMetadata('swagger/apiConsumes', [type], descriptor.value as object);
  };
}

function describeQuery(schema: z.ZodObject): MethodDecorator[] {
  const json = schemaOf(schema, 'input') as { properties?: Record<string, Record<string, unknown>>; required?: string[] };
  return Object.entries(json.properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = property;
    return ApiQuery({
      name,
      required: json.required?.includes(name) ?? false,
      ...(typeof description === 'string' ? { description } : {}),
      schema: rest,
    });
  });
}

function describeErrors(codes: readonly ErrorCode[]): MethodDecorator[] {
  addSchema(problemSchema, 'output');
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(ERROR_CODES[code], [...(byStatus.get(ERROR_CODES[code]) ?? []), code]);
  return [...byStatus].map(([status, names]) =>
    ApiResponse({
      status,
      description: names.map((name) => `\`urn:exeunt:problem:${name}\``).join(', '),
      content: { [PROBLEM_JSON]: { schema: schemaOf(problemSchema, 'output') } },
    }),
  );
}
