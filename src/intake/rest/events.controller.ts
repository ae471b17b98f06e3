import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import { Allow, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { TakeEvents } from '#coordinator';
import type { EventResult, SessionEvent } from '#coordinator';
import { ExeuntError } from '#domain';
import type { ErrorCode, Fault } from '#domain';
import { ApiRoute, buildProblem, parseInput, problemSchema, ZodBody } from '#platform/http';
import type { Problem } from '#platform/http';
import { Metrics } from '#platform/telemetry';
import { IdentityProviders } from '#registry';
import { batchSchema, documentedBatchSchema, eventSchema, toSessionEvent } from './event-schemas.js';

const resultSchema = z.object({
  results: z.array(
    z.object({
      id: z.string().nullable().describe('The id of the event; null when it had none'),
      status: z.enum(['accepted', 'duplicate', 'session_ended', 'rejected']),
      sessionId: z.string().optional(),
      logoutId: z.string().optional(),
      error: problemSchema.optional(),
    }),
  ),
});

interface WireResult {
  id: string | null;
  status: EventResult['status'];
  sessionId?: string;
  logoutId?: string;
  error?: Problem;
}

/** Where identity providers say who logged in where, and who has logged out. */
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly takeEvents: TakeEvents,
    private readonly identityProviders: IdentityProviders,
    private readonly metrics: Metrics,
  ) {}

  @Post()
  @HttpCode(202)
  @Allow('admin', 'idp')
  @ApiRoute({
    tag: 'Events',
    summary: 'Take session events',
    description:
      'Up to 1,000 events. Answered when all of them are durable, with one result an event, in order. Idempotent by event id, per identity provider. ' +
      'A rejected event does not touch the others, and may be mended and sent again under its id.',
    body: documentedBatchSchema,
    responses: { 202: { description: 'One result an event, in order', schema: resultSchema } },
  })
  async take(
    @Body(new ZodBody(batchSchema)) body: z.output<typeof batchSchema>,
    @CurrentCaller() caller: Caller,
  ): Promise<{ results: WireResult[] }> {
    const results: WireResult[] = new Array<WireResult>(body.events.length);
    const byIdp = new Map<string, { at: number; event: SessionEvent }[]>();
    for (const [at, raw] of body.events.entries()) {
      const read = await readEvent(raw, caller);
      if ('error' in read) results[at] = this.reject(raw, read.error);
      else byIdp.set(read.event.idp, [...(byIdp.get(read.event.idp) ?? []), { at, event: read.event }]);
    }
    for (const [idp, group] of byIdp) {
      if ((await this.identityProviders.find(idp)) === null) {
        const error = new ExeuntError('not_found', `There is no identity provider "${idp}"`);
        for (const { at } of group) results[at] = this.reject(body.events[at], error);
        continue;
      }
      const taken = await this.takeEvents.take(
        idp,
        group.map(({ event }) => event),
      );
      taken.forEach((result, i) => (results[group[i]!.at] = toWire(result)));
    }
    return { results };
  }

  private reject(raw: unknown, error: ExeuntError): WireResult {
    const { id, type } = raw !== null && typeof raw === 'object' ? (raw as { id?: unknown; type?: unknown }) : {};
    this.metrics.eventTaken(eventTypes.has(String(type)) ? String(type) : 'unknown', 'rejected');
    return { id: typeof id === 'string' ? id : null, status: 'rejected', error: problem(error.code, error.message, error.faults) };
  }
}

const eventTypes = new Set(['session.started', 'session.joined', 'session.touched', 'session.ended']);

async function readEvent(raw: unknown, caller: Caller): Promise<{ event: SessionEvent } | { error: ExeuntError }> {
  try {
    const event = toSessionEvent(await parseInput(eventSchema, raw, 'event'));
    if (caller.kind === 'idp' && caller.idpId !== event.idp) {
      return { error: new ExeuntError('forbidden', `This key is of identity provider "${caller.idpId}"; the event is of "${event.idp}"`) };
    }
    return { event };
  } catch (error) {
    if (error instanceof ExeuntError) return { error };
    throw error;
  }
}

function toWire(result: EventResult): WireResult {
  return {
    id: result.id,
    status: result.status,
    ...(result.sessionId ? { sessionId: result.sessionId } : {}),
    ...(result.logoutId ? { logoutId: result.logoutId } : {}),
    ...(result.error ? { error: problem(result.error.code, result.error.detail) } : {}),
  };
}

function problem(code: ErrorCode, detail: string, faults: readonly Fault[] = []): Problem {
  return buildProblem(new ExeuntError(code, detail, faults));
}
