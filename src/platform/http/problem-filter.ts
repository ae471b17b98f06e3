import { Catch } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { ExeuntError } from '#domain';
import { buildMessagePage } from './message-page.js';
import { buildProblem, PROBLEM_JSON, toExeuntError } from './problem.js';
import { routeConfigOf, wantedTypeOf } from './protocol-route.js';
import type { RouteTable } from './route-table.js';

/** Answers every error, whoever threw it, as problem+json; on protocol routes in that protocol's shape. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly routes: RouteTable,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    this.answer(thrown, request, reply);
  }

  /** Also for errors that no route handler threw: hooks, the router, the body parsers. */
  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = request.is404 ? this.missing(thrown, request, reply) : explain(toExeuntError(thrown), request);
    if (error.status >= 500) this.logger.error({ requestId: request.id, code: error.code, err: error.cause ?? error }, 'request failed');
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    if (error.status === 401 && !reply.hasHeader('www-authenticate')) void reply.header('www-authenticate', 'Bearer realm="exeunt"');
    if (routeConfigOf(request)?.errors === 'oauth') {
      answerAsOAuth(error, reply);
      return;
    }
    if (routeConfigOf(request)?.errors === 'page') {
      answerAsPage(error, request, reply);
      return;
    }
    void reply
      .code(error.status)
      .header('content-type', PROBLEM_JSON)
      .header('cache-control', 'no-store')
      .send(JSON.stringify(buildProblem(error, request.id)));
  }

  private missing(thrown: unknown, request: FastifyRequest, reply: FastifyReply): ExeuntError {
    const known = toExeuntError(thrown);
    if (known.code !== 'not_found') return known;
    const path = request.url.split('?', 1)[0]!;
    const methods = this.routes.methodsAt(path);
    if (methods.length === 0) return new ExeuntError('not_found', `There is no ${path.slice(0, 200)}`);
    void reply.header('allow', methods.join(', '));
    return new ExeuntError('method_not_allowed', `${request.method} is not possible at ${path.slice(0, 200)}, only ${methods.join(', ')}`);
  }
}

/** The parsers' own words name neither what was seen nor what is wanted. */
function explain(error: ExeuntError, request: FastifyRequest): ExeuntError {
  if (error.cause === undefined) return error;
  if (error.code === 'unsupported_media_type') {
    const seen = request.headers['content-type']?.slice(0, 100) ?? 'none';
    return new ExeuntError(error.code, `The content type ${seen} is not supported; wanted ${wantedTypeOf(request)}`, [], {
      cause: error.cause,
    });
  }
  if (error.code === 'payload_too_large') {
    return new ExeuntError(error.code, `The body is longer than ${request.routeOptions.bodyLimit} bytes`, [], { cause: error.cause });
  }
  return error;
}

/** A person reads this: what went wrong is in the log, under the reference. */
function answerAsPage(error: ExeuntError, request: FastifyRequest, reply: FastifyReply): void {
  const isOurs = error.status >= 500;
  const text =
    error.status === 429
      ? 'There were too many requests. Wait a minute and try again.'
      : isOurs
        ? 'Something went wrong on our side. Try again in a moment.'
        : 'This request cannot be read.';
  const page = buildMessagePage({ title: isOurs ? 'Not possible now' : 'Not accepted', text, reference: request.id });
  void reply.code(error.status).headers(page.headers).send(page.html);
}

/** @see BCL-49, BCL-50, BCL-51 */
function answerAsOAuth(error: ExeuntError, reply: FastifyReply): void {
  // Too many requests and faults of ours may be tried again, so they keep their status; all the rest is the sender's: exactly 400.
  const status = error.status >= 500 || error.status === 429 ? error.status : 400;
  const code =
    status === 400 ? 'invalid_request' : status === 429 ? 'slow_down' : status === 503 ? 'temporarily_unavailable' : 'server_error';
  const description = error.code === 'internal' || error.code === 'configuration' ? 'internal error' : error.message;
  void reply
    .code(status)
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .send(JSON.stringify({ error: code, error_description: description }));
}
