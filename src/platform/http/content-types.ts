import formbody from '@fastify/formbody';
import type { FastifyInstance } from 'fastify';
import { ExeuntError } from '#domain';
import { wantedTypeOf } from './protocol-route.js';

/** JSON for our API, forms for the protocols, XML where a route says so, nothing else. */
export async function acceptContentTypes(fastify: FastifyInstance, bodyLimitBytes: number): Promise<void> {
  fastify.removeContentTypeParser('text/plain');
  await fastify.register(formbody, { bodyLimit: bodyLimitBytes });
  fastify.addContentTypeParser('text/xml', { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => textOf(body));
  fastify.addHook('onRequest', async (request) => {
    const type = request.headers['content-type'];
    if (request.url.startsWith('/v1/') && type?.toLowerCase().startsWith('application/x-www-form-urlencoded')) {
      throw new ExeuntError(
        'unsupported_media_type',
        'The content type application/x-www-form-urlencoded is not supported here, only application/json',
      );
    }
    if (type !== undefined && /^text\/xml\s*(;|$)/i.test(type) && !request.is404) judgeXml(type, wantedTypeOf(request));
  });
}

function judgeXml(type: string, wanted: string): void {
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(type)?.[1];
  if (wanted === 'text/xml' && (charset === undefined || /^utf-?8$/i.test(charset))) return;
  const named = wanted === 'text/xml' ? 'text/xml; charset=utf-8' : wanted;
  throw new ExeuntError('unsupported_media_type', `The content type ${type.slice(0, 100)} is not supported; wanted ${named}`);
}

/** Bytes that are no UTF-8 would be replaced in silence otherwise, and what was signed would not be what is read. */
function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new ExeuntError('malformed', 'The body is not UTF-8', [], { cause });
  }
}
