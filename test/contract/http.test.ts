import 'reflect-metadata';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Body, Controller, Get, HttpCode, Inject, Injectable, Ip, Module, Param, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { ExeuntError } from '#domain';
import { configSchema } from '#platform/config';
import { ApiRoute, createHttpApp, OAuthErrors, ZodBody, ZodQuery } from '#platform/http';
import { createLogger, Metrics } from '#platform/telemetry';

const thing = z
  .strictObject({
    name: z.string().min(2),
    jwk: z.object({ kty: z.string(), d: z.number().optional() }).optional(),
    clientSecret: z.string().max(3).optional(),
    list: z.array(z.int()).max(2).default([]),
  })
  .meta({ id: 'Thing' });
const query = z.strictObject({ limit: z.coerce.number().int().max(200).default(5) });

@Injectable()
class Gate {
  open!: () => void;
  entered!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
  readonly reached = new Promise<void>((resolve) => (this.entered = resolve));
}

@Controller()
class Things {
  constructor(@Inject(Gate) private readonly gate: Gate) {}

  @Post('/v1/things')
  @ApiRoute({ summary: 'Make', body: thing, query, responses: { 201: { description: 'Made', schema: thing } }, errors: ['validation'] })
  make(@Body(new ZodBody(thing)) body: z.output<typeof thing>, @Query(new ZodQuery(query)) page: z.output<typeof query>) {
    return { ...body, ...page };
  }

  @Get('/v1/things/:id')
  read(@Param('id') id: string, @Ip() ip: string) {
    if (id === 'boom') throw new Error('internals of ours');
    if (id === 'misconfigured') throw new ExeuntError('configuration', 'the file /etc/secret');
    if (id === 'conflict') throw new ExeuntError('conflict', 'There is one already');
    return { id, ip };
  }

  @Get('/slow')
  async slow() {
    this.gate.entered();
    await this.gate.opened;
    return { done: true };
  }

  @Post('/oidc/form/:idp')
  @HttpCode(200)
  @OAuthErrors()
  form(@Body() body: object) {
    if ('fail' in body) throw new ExeuntError('validation', 'it is not right');
    return body;
  }
}

const lines: string[] = [];
const metrics = new Metrics({ processMetrics: false });

async function start(server: Record<string, unknown> = {}): Promise<{ app: NestFastifyApplication; url: string }> {
  // Each application its own gate.
  @Module({ controllers: [Things], providers: [Gate] })
  class Root {}
  const app = await createHttpApp(Root, {
    config: configSchema.parse({ server: { bodyLimitBytes: 2_000, ...server } }),
    logger: createLogger({ level: 'trace', stream: { write: (line: string) => void lines.push(line) } }),
    metrics,
    version: '1.2.3',
  });
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

let main: { app: NestFastifyApplication; url: string };
beforeAll(async () => {
  main = await start();
});
afterAll(async () => main?.app.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

async function call(path: string, init?: RequestInit) {
  const response = await fetch(main.url + path, { redirect: 'manual', ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}
const post = (path: string, body: string, headers: Record<string, string> = JSON_TYPE) => call(path, { method: 'POST', headers, body });

describe('every error is problem+json with a stable type (RFC 9457)', () => {
  test.each<[string, () => ReturnType<typeof call>, number, string, RegExp]>([
    ['an unknown route', () => call('/nothing?token=abc'), 404, 'not_found', /no \/nothing$/],
    ['a method that a route has not', () => call('/v1/things', { method: 'PUT' }), 405, 'method_not_allowed', /only POST/],
    ['malformed JSON', () => post('/v1/things', '{"name": "secret-value'), 400, 'malformed', /not valid JSON/],
    ['an empty JSON body', () => post('/v1/things', ''), 400, 'malformed', /not valid JSON/],
    ['JSON with __proto__', () => post('/v1/things', '{"name":"abc","__proto__":{"admin":true}}'), 400, 'malformed', /JSON/],
    [
      'JSON with constructor.prototype',
      () => post('/v1/things', '{"name":"abc","constructor":{"prototype":{}}}'),
      400,
      'malformed',
      /JSON/,
    ],
    [
      'a body that is too long',
      () => post('/v1/things', JSON.stringify({ name: 'x'.repeat(3_000) })),
      413,
      'payload_too_large',
      /2000 bytes/,
    ],
    [
      'text',
      () => post('/v1/things', 'x', { 'content-type': 'text/plain' }),
      415,
      'unsupported_media_type',
      /text\/plain.*application\/json/,
    ],
    ['a form where JSON is wanted', () => post('/v1/things', 'name=abc', FORM_TYPE), 415, 'unsupported_media_type', /form/],
    ['no content type', () => call('/v1/things', { method: 'POST' }), 422, 'validation', /request body/],
    ['a URL that cannot be decoded', () => call('/v1/things/%zz'), 400, 'malformed', /%zz/],
    ['a fault of ours', () => call('/v1/things/boom'), 500, 'internal', /our side/],
    ['a wrong configuration', () => call('/v1/things/misconfigured'), 500, 'configuration', /our side/],
    ['an error of ours', () => call('/v1/things/conflict'), 409, 'conflict', /one already/],
  ])('%s', async (_, ask, status, code, detail) => {
    const { json, headers, text, status: seen } = await ask();
    expect([seen, headers.get('content-type')]).toEqual([status, 'application/problem+json; charset=utf-8']);
    expect(json).toMatchObject({
      type: `urn:exeunt:problem:${code}`,
      status,
      title: expect.any(String),
      detail: expect.stringMatching(detail),
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toBe(json.instance.replace('urn:exeunt:request:', ''));
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).not.toMatch(/secret|internals of ours|token=abc/);
    if (status === 405) expect(headers.get('allow')).toBe('POST');
  });

  test('a 500 is logged once, with what happened and the id of the request', async () => {
    const { json } = await call('/v1/things/boom');
    const id = json.instance.replace('urn:exeunt:request:', '');
    const logged = lines.map((line) => JSON.parse(line)).filter((line) => line.requestId === id);
    expect(logged.filter((line) => line.level === 'error')).toHaveLength(1);
    expect(JSON.stringify(logged)).toContain('internals of ours');
  });
});

test('validation tells every fault: field, value seen, rule; secrets are not shown', async () => {
  const body = {
    name: 'a',
    jwk: { kty: 'EC', d: 'PRIVATE-PART' },
    clientSecret: 'PASSWORD',
    list: [1, 'x'.repeat(300)],
    more: { deep: [1] },
  };
  const { json, text } = await post('/v1/things', JSON.stringify(body));
  expect(json.errors).toEqual([
    { field: '/name', seen: 'a', rule: 'must be at least 2 characters' },
    { field: '/jwk/d', seen: '[redacted]', rule: 'must be a number' },
    { field: '/clientSecret', seen: '[redacted]', rule: 'must be at most 3 characters' },
    { field: '/list/1', seen: `${'x'.repeat(99)}…`, rule: 'must be a number' },
    { field: '/more', seen: '{"deep":[1]}', rule: 'is not a known member' },
  ]);
  expect(text).not.toMatch(/PRIVATE-PART|PASSWORD/);
});

describe('routes with the error shape of OAuth (BCL-49, BCL-50, BCL-51)', () => {
  test.each([
    ['JSON', '{}', { 'content-type': 'text/json' }],
    ['multipart', 'x', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['a body that is too long', `a=${'1'.repeat(3_000)}`, FORM_TYPE],
    ['a fault of the handler', 'fail=1', FORM_TYPE],
  ])('%s is exactly 400, JSON, no-store', async (_, body, headers) => {
    const answer = await post('/oidc/form/a', body, headers);
    expect([answer.status, answer.json.error, answer.headers.get('cache-control')]).toEqual([400, 'invalid_request', 'no-store']);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.json.error_description).toEqual(expect.any(String));
  });

  test('a parameter given twice is seen as two', async () => {
    expect((await post('/oidc/form/a', 'a=1&a=2&b=c', FORM_TYPE)).json).toEqual({ a: ['1', '2'], b: 'c' });
  });
});

describe('for browsers', () => {
  test('security headers are on everything', async () => {
    const { headers } = await call('/v1/things/a');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d+/);
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe/);
    expect(headers.has('x-powered-by')).toBe(false);
  });

  test('the documentation loads from here only, everything it loads is here, and no script is inline', async () => {
    const page = await call('/docs');
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(page.text).not.toMatch(/https?:|<script>|onload=/);
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, (await call(file)).status]).toEqual([file, 200]);
    expect((await call('/docs/start.js')).text).toContain('validatorUrl: null');
    expect((await call('/docs/')).headers.get('location')).toBe('/docs');
    expect((await call('/docs/../package.json')).status).toBe(404);
  });

  test('OpenAPI 3.1 from the schemas that parse the requests', async () => {
    const { json } = await call('/openapi.json');
    expect([json.openapi, json.info.version]).toEqual(['3.1.0', '1.2.3']);
    const operation = json.paths['/v1/things'].post;
    expect(operation.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/ThingInput' });
    expect(operation.responses['201'].content['application/json'].schema.$ref).toMatch(/^#\/components\/schemas\/Thing/);
    expect(operation.parameters).toEqual([expect.objectContaining({ name: 'limit', in: 'query', required: false })]);
    expect(json.components.schemas.ThingInput.properties.name).toMatchObject({ type: 'string', minLength: 2 });
    expect(json.components.schemas.Problem.required).toContain('type');
  });
});

describe('the log and the metrics', () => {
  test('have one line a request, with the pattern of the route and without the query', async () => {
    await call('/v1/things/abc?secret=hidden', { headers: { 'x-request-id': 'proxy-0123456789' } });
    const logged = lines.map((line) => JSON.parse(line)).filter((line) => line.requestId === 'proxy-0123456789');
    expect(logged).toEqual([
      expect.objectContaining({ method: 'GET', route: '/v1/things/:id', status: 200, caller: 'anonymous', msg: 'request' }),
    ]);
    expect(JSON.stringify(logged)).not.toContain('hidden');
    expect(await metrics.text()).toContain('exeunt_http_requests_total{method="GET",route="/v1/things/:id",status="200"}');
    expect(await metrics.text()).not.toContain('abc');
  });

  test('a request id that could forge log lines is replaced', async () => {
    const { headers } = await call('/v1/things/a', { headers: { 'x-request-id': '{"level":"fatal"}' } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test('X-Forwarded-For counts only behind a proxy that is trusted', async () => {
  const behind = await start({ trustProxy: true });
  const forwarded = { headers: { 'x-forwarded-for': '203.0.113.9' } };
  expect(await (await fetch(`${behind.url}/v1/things/a`, forwarded)).json()).toEqual({ id: 'a', ip: '203.0.113.9' });
  expect((await call('/v1/things/a', forwarded)).json).toEqual({ id: 'a', ip: '127.0.0.1' });
  await behind.app.close();
});

describe('closing', () => {
  test('finishes what is under way, closes kept-alive connections, takes nothing new', async () => {
    const { app, url } = await start();
    const port = Number(new URL(url).port);
    const idle = connect(port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const idleClosed = new Promise((resolve) => idle.once('close', resolve));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const slow = get(`${url}/slow`, agent);
    await app.get(Gate).reached;
    const closed = app.close();
    await idleClosed;
    const late = await fetch(`${url}/v1/things/a`).then(
      (response) => response.status,
      () => 'refused',
    );
    expect([503, 'refused']).toContain(late);
    app.get(Gate).open();
    const answer = await slow;
    expect([answer.status, answer.body, answer.connection]).toEqual([200, '{"done":true}', 'close']);
    await closed;
    agent.destroy();
  });
});

function get(url: string, agent: Agent): Promise<{ status: number; body: string; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { agent }, (response: IncomingMessage) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body, connection: response.headers.connection }));
    })
      .on('error', reject)
      .end();
  });
}
