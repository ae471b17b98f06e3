import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ExeuntError } from '#domain';
import type { Config } from '#platform/config';

declare module 'fastify' {
  interface FastifyInstance {
    limits: RateLimits;
  }
}

type Limiter = (request: FastifyRequest, options?: { increment?: boolean }) => Promise<Verdict>;
type Verdict = { isAllowed: true } | { isAllowed: false; isExceeded: boolean; max: number; ttlInSeconds: number };

const MINUTE_MS = 60_000;
const PROBES = new Set(['/healthz', '/readyz']);

/**
 * Requests a minute, counted in this process: by address before anything is read, by caller once it is known, and
 * failed sign-ins by address, so that keys cannot be guessed at speed.
 */
export class RateLimits {
  private constructor(
    private readonly byAddress: Limiter,
    private readonly probes: Limiter,
    private readonly protocol: Limiter,
    private readonly byCaller: Limiter,
    private readonly failedSignIns: Limiter,
  ) {}

  static async register(fastify: FastifyInstance, server: Config['server']): Promise<RateLimits> {
    await fastify.register(rateLimit, { global: false });
    const limiter = (name: string, max: number, of: (request: FastifyRequest) => string): Limiter =>
      fastify.createRateLimit({
        max,
        timeWindow: MINUTE_MS,
        keyGenerator: (request: FastifyRequest) => `${name} ${of(request)}`,
      });
    const address = (request: FastifyRequest) => normalizeIP(request.ip);
    const limits = new RateLimits(
      limiter('address', server.rateLimitPerMinute, address),
      limiter('probe', server.protocolRateLimitPerMinute, address),
      limiter('protocol', server.protocolRateLimitPerMinute, address),
      limiter('caller', server.rateLimitPerMinute, (request) => request.callerName ?? ''),
      limiter('sign-in', server.protocolRateLimitPerMinute, address),
    );
    fastify.decorate('limits', limits);
    fastify.addHook('onRequest', (request, reply) => limits.onRequest(request, reply));
    return limits;
  }

  private async onRequest(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const path = request.url.split('?', 1)[0]!;
    const limiter = path.startsWith('/v1/') ? this.byAddress : PROBES.has(path) ? this.probes : this.protocol;
    enforce(await limiter(request), reply);
  }

  /** Counts a request of a known caller. @throws ExeuntError `too_many_requests` */
  async countCaller(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    enforce(await this.byCaller(request), reply);
  }

  /** Whether this address may still try to sign in. @throws ExeuntError `too_many_requests` */
  async checkSignIn(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    enforce(await this.failedSignIns(request, { increment: false }), reply, true);
  }

  /** Counts a failed sign-in of this address. */
  async countFailedSignIn(request: FastifyRequest): Promise<void> {
    await this.failedSignIns(request);
  }
}

function enforce(verdict: Verdict, reply: FastifyReply, before = false): void {
  if (verdict.isAllowed) return;
  const exceeded = verdict.isExceeded || (before && 'remaining' in verdict && verdict.remaining === 0);
  if (!exceeded) return;
  void reply.header('retry-after', String(Math.max(1, verdict.ttlInSeconds)));
  throw new ExeuntError(
    'too_many_requests',
    `More than ${verdict.max} requests in a minute; try again in ${Math.max(1, verdict.ttlInSeconds)} s`,
  );
}
