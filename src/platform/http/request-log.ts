import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '#platform/telemetry';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who called, for the log and the rate limit, e.g. `idp:acme:0193...`; unset until known. */
    callerName?: string;
  }
}

const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** One line a request, and its metric. The route's pattern, not its URL: queries hold tokens. */
export function logRequests(fastify: FastifyInstance, logger: Logger, metrics?: Metrics): void {
  fastify.decorateRequest('callerName', undefined);
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? undefined : request.routeOptions.url;
    metrics?.httpRequestDone(request.method, route, reply.statusCode, reply.elapsedTime);
    const line = {
      requestId: request.id,
      method: request.method,
      route: route ?? 'unmatched',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      caller: callerOf(request),
      address: request.ip,
    };
    logger[QUIET.has(route ?? '') && reply.statusCode < 500 ? 'debug' : 'info'](line, 'request');
  });
}

function callerOf(request: FastifyRequest): string {
  return request.callerName ?? 'anonymous';
}
