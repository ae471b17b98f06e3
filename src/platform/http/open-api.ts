import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { namedSchemas } from './json-schemas.js';

const DESCRIPTION = `Federated Single Logout: identity providers tell who logged in where and who logged out; every session that hangs on an ended one is ended.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`type\`. Lists answer \`{items, nextCursor?}\` and take \`limit\` (at most 200) and \`cursor\`.`;

/** The groups of the pages, in the order in which an integrator needs them. */
const TAGS = [
  'Events',
  'Logouts',
  'Sessions',
  'Reports',
  'Identity providers',
  'Service providers',
  'API keys',
  'Logout keys',
  'Published keys',
  'OpenID Connect',
  'SAML',
  'Health',
];

/** The OpenAPI 3.1 document of all controllers of this application. */
export function buildOpenApi(app: NestFastifyApplication, version: string): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Exeunt')
    .setDescription(DESCRIPTION)
    .setVersion(version)
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key (`exk_...`), or a JWT of a configured issuer' }, 'bearer')
    .addSecurityRequirements('bearer');
  for (const tag of TAGS) builder.addTag(tag);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    autoTagControllers: false,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...namedSchemas() } };
  for (const path of Object.values(document.paths)) for (const operation of Object.values(path ?? {})) describeAccess(operation);
  return document;
}

const GUARDED = { '401': 'No valid bearer token', '403': 'Not for this caller', '429': 'Too many requests; see `Retry-After`' };

function describeAccess(operation: unknown): void {
  if (typeof operation !== 'object' || operation === null || !('responses' in operation)) return;
  const found = operation as { 'x-access'?: string[]; security?: unknown[]; responses: Record<string, unknown> };
  found['x-access'] ??= ['admin'];
  if (found['x-access'].includes('public')) {
    found.security = [];
    return;
  }
  for (const [status, description] of Object.entries(GUARDED)) {
    found.responses[status] ??= {
      description,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
}
