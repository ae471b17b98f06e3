import { Controller, Get, Header, Inject, Optional, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { Dispatcher } from '#dispatch';
import { messageOf } from '#domain';
import { LOGGER } from '#platform';
import { Database } from '#platform/database';
import { ApiRoute } from '#platform/http';
import { Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import { Readiness } from './readiness.js';

const okView = z.object({ status: z.literal('ok') });
const readyView = z.object({
  status: z.enum(['ready', 'not ready']),
  checks: z.record(z.string(), z.string()).describe('`ok`, or what is wrong'),
});

/** How long a check may take before it counts as failed. Milliseconds. */
const CHECK_MS = 2_000;

/** Alive, ready, and in figures. For orchestrators and Prometheus; keep it inside (see the operating guide). */
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
    private readonly readiness: Readiness,
    @Inject(LOGGER) private readonly log: Logger,
    @Optional() private readonly dispatcher?: Dispatcher,
  ) {}

  @Get('healthz')
  @Header('cache-control', 'no-store')
  @ApiRoute({ tag: 'Health', summary: 'The process lives', responses: { 200: { description: 'It answers', schema: okView } } })
  healthz(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Header('cache-control', 'no-store')
  @ApiRoute({
    tag: 'Health',
    summary: 'The process does its work',
    description:
      'Fails while the database is away, when the worker of this process has stopped consuming, and from the moment it is told to stop.',
    responses: { 200: { description: 'Ready', schema: readyView }, 503: { description: 'Not ready', schema: readyView } },
  })
  async readyz(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.output<typeof readyView>> {
    const checks: Record<string, string> = { database: await this.checkDatabase() };
    if (this.dispatcher) checks['worker'] = this.dispatcher.fault() ?? 'ok';
    if (this.readiness.stopping) checks['process'] = 'it is shutting down';
    const ready = Object.values(checks).every((check) => check === 'ok');
    void reply.status(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not ready', checks };
  }

  @Get('metrics')
  @ApiRoute({
    tag: 'Health',
    summary: 'Figures for Prometheus',
    responses: { 200: { description: 'Text exposition format', schema: z.string(), contentType: 'text/plain' } },
  })
  async showMetrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.header('content-type', this.metrics.contentType).header('cache-control', 'no-store');
    return this.metrics.text((error) => this.log.warn({ error: messageOf(error) }, 'a figure could not be read'));
  }

  private async checkDatabase(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS);
    });
    try {
      await Promise.race([this.database.query('SELECT 1'), late]);
      return 'ok';
    } catch (error) {
      this.log.warn({ error: messageOf(error) }, 'the database does not answer');
      return 'it does not answer';
    } finally {
      clearTimeout(timer);
    }
  }
}
