import formbody from '@fastify/formbody';
import type { FastifyInstance } from 'fastify';
import { ExeuntError } from '#domain';

/** JSON for our API, forms for the protocols, nothing else. */
export async function acceptContentTypes(fastify: FastifyInstance, bodyLimitBytes: number): Promise<void> {
  fastify.removeContentTypeParser('text/plain');
  await fastify.register(formbody, { bodyLimit: bodyLimitBytes });
  fastify.addHook('onRequest', async (request) => {
    const type = request.headers['content-type'];
    if (request.url.startsWith('/v1/') && type?.toLowerCase().startsWith('application/x-www-form-urlencoded')) {
      throw new ExeuntError(
        'unsupported_media_type',
        'The content type application/x-www-form-urlencoded is not supported here, only application/json',
      );
    }
  });
}
