import type { FastifyReply } from 'fastify';

/** A document that anybody may read and keep for a while. */
export interface PublishedDocument {
  text: string;
  etag: string;
  contentType: string;
  maxAgeSeconds: number;
}

/** Sends it, or 304 to those who have it already. @param known the header If-None-Match. */
export function sendPublished(document: PublishedDocument, known: string | undefined, reply: FastifyReply): void {
  void reply.headers({
    'cache-control': `public, max-age=${document.maxAgeSeconds}`,
    etag: document.etag,
    // Nothing here is secret: browsers of single-page clients read it, too.
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  });
  if (matches(known, document.etag)) void reply.code(304).send();
  else void reply.header('content-type', document.contentType).send(document.text);
}

function matches(known: string | undefined, etag: string): boolean {
  if (known === undefined) return false;
  return known.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
