import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance, FastifyReply } from 'fastify';

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Exeunt API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="pages"></div>
<noscript>These pages need JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

// Without validatorUrl: null the page asks a server on the internet to judge the document.
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#pages', deepLinking: true, validatorUrl: null, presets: [SwaggerUIBundle.presets.apis] });
`;

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** Serves `/openapi.json` and the pages at `/docs`, from files on this machine only. */
export function serveDocs(fastify: FastifyInstance, document: () => OpenAPIObject): void {
  let json: string | undefined;
  fastify.get('/openapi.json', (_request, reply) => send(reply, 'application/json; charset=utf-8', (json ??= JSON.stringify(document()))));
  fastify.get('/docs', (_request, reply) => send(reply, 'text/html; charset=utf-8', PAGE));
  // Who opens the address that the start printed finds something to read.
  fastify.get('/', (_request, reply) => reply.redirect('/docs', 302));
  fastify.get('/docs/', (_request, reply) => reply.redirect('/docs', 308));
  fastify.get('/docs/start.js', (_request, reply) => send(reply, 'text/javascript; charset=utf-8', START));
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const [name, type] of Object.entries(FILES)) {
    let content: Promise<Buffer> | undefined;
    fastify.get(`/docs/${name}`, async (_request, reply) => {
      void reply.header('cache-control', 'public, max-age=3600');
      return send(reply, type, await (content ??= readFile(join(folder, name))));
    });
  }
}

function send(reply: FastifyReply, type: string, content: string | Buffer): FastifyReply {
  return reply.header('content-type', type).send(content);
}
