import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '#platform/config';
import { NestLogger } from '#platform/telemetry';
import type { Metrics } from '#platform/telemetry';
import { acceptContentTypes } from './content-types.js';
import { closeGracefully } from './graceful-close.js';
import { serveDocs } from './docs-pages.js';
import { buildOpenApi } from './open-api.js';
import { ProblemFilter } from './problem-filter.js';
import { RateLimits } from './rate-limits.js';
import { logRequests } from './request-log.js';
import { RouteTable } from './route-table.js';
import { setSecurityHeaders, STRICT_POLICY } from './security-headers.js';

export interface HttpAppOptions {
  config: Pick<Config, 'server'>;
  logger: Logger;
  /** Told of every request. */
  metrics?: Metrics;
  /** Shown in the OpenAPI document. */
  version?: string;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/**
 * The HTTP application of a root module: limits, security headers, problem+json for every error, OpenAPI, one log line a request.
 * The caller listens (`app.listen(port, host)`) and closes (`app.close()`: no new requests, those under way are finished).
 */
export async function createHttpApp(
  rootModule: Parameters<typeof NestFactory.create>[0],
  { config, logger, metrics, version = '0.0.0' }: HttpAppOptions,
): Promise<NestFastifyApplication> {
  const routes = new RouteTable();
  const filter = new ProblemFilter(logger, routes);
  const adapter = new FastifyAdapter({
    bodyLimit: config.server.bodyLimitBytes,
    trustProxy: config.server.trustProxy,
    genReqId: requestIdOf,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // Requests on kept-alive connections while closing get our own 503 below.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    routerOptions: { maxParamLength: 256 },
    // The router's own refusals (a URL that cannot be decoded) come before any hook.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff', 'content-security-policy': STRICT_POLICY });
      filter.answer(error, request, reply);
    },
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  routes.watch(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(rootModule, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLogger(logger),
  });
  closeGracefully(fastify);
  logRequests(fastify, logger, metrics);
  await setSecurityHeaders(fastify);
  await RateLimits.register(fastify, config.server);
  await acceptContentTypes(fastify, config.server.bodyLimitBytes);
  app.useGlobalFilters(filter);
  serveDocs(fastify, () => buildOpenApi(app, version));
  return app;
}

/** The proxy's request id, if it is a harmless one, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
