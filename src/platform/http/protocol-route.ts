import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

interface ExeuntRouteConfig {
  /** The shape of errors: ours (problem+json), or `{"error","error_description"}` with status 400. */
  errors?: 'oauth';
}

/**
 * For endpoints whose protocol has its own error shape: whatever goes wrong, body parsing included, is answered
 * 400 (429 and 5xx stay) with `{"error","error_description"}` and `Cache-Control: no-store`.
 * @see BCL-49, BCL-50, BCL-51
 */
export function OAuthErrors(): MethodDecorator {
  return RouteConfig({ errors: 'oauth' } satisfies ExeuntRouteConfig);
}

/** What the route of this request was declared with. */
export function routeConfigOf(request: FastifyRequest): ExeuntRouteConfig | undefined {
  return request.routeOptions?.config as ExeuntRouteConfig | undefined;
}
