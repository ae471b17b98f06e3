import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

interface ExeuntRouteConfig {
  /** The shape of errors: ours (problem+json), `{"error","error_description"}` with status 400, or a page for a person. */
  errors?: 'oauth' | 'page';
  /** The route takes `text/xml`. */
  body?: 'xml';
}

/**
 * For endpoints whose protocol has its own error shape: whatever goes wrong, body parsing included, is answered
 * 400 (429 and 5xx stay) with `{"error","error_description"}` and `Cache-Control: no-store`.
 * @see BCL-49, BCL-50, BCL-51
 */
export function OAuthErrors(): MethodDecorator {
  return RouteConfig({ errors: 'oauth' } satisfies ExeuntRouteConfig);
}

/** For endpoints that people's browsers are sent to: errors are a small page, with the status that they have elsewhere. */
export function PageErrors(): MethodDecorator {
  return RouteConfig({ errors: 'page' } satisfies ExeuntRouteConfig);
}

/** The route takes `text/xml` in UTF-8, which no other route does; its body is a string. @see SLO-57 */
export function XmlBody(): MethodDecorator {
  return RouteConfig({ body: 'xml' } satisfies ExeuntRouteConfig);
}

/** What the route of this request was declared with. */
export function routeConfigOf(request: FastifyRequest): ExeuntRouteConfig | undefined {
  return request.routeOptions?.config as ExeuntRouteConfig | undefined;
}

/** The content type that the route of this request takes. */
export function wantedTypeOf(request: FastifyRequest): string {
  const config = routeConfigOf(request);
  if (config?.body === 'xml') return 'text/xml';
  return config?.errors === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
}
