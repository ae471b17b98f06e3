import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/** For everything that is not a page. */
export const STRICT_POLICY = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";
/** The documentation's pages load their own files and nothing else. Its layout sets styles inline. */
const PAGES =
  "default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;connect-src 'self';font-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'";

/** Headers for browsers. A route that renders its own page may replace `Content-Security-Policy` on its reply. */
export async function setSecurityHeaders(fastify: FastifyInstance): Promise<void> {
  await fastify.register(helmet, {
    contentSecurityPolicy: false,
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
  });
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.header('content-security-policy', isPage(request.url) ? PAGES : STRICT_POLICY);
  });
}

function isPage(url: string): boolean {
  return url === '/docs' || url.startsWith('/docs/') || url.startsWith('/docs?');
}
