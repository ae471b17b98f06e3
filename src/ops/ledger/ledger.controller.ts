import { Controller, Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { Allow, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ExeuntError, isId, VERDICTS } from '#domain';
import { listLogouts, readDeliveries, readLogout } from '#ledger';
import { Database } from '#platform/database';
import { ApiRoute, ZodParam, ZodQuery } from '#platform/http';
import { pageOf, pageSchema, startOf } from '#platform/paging';
import { listSessions, readSession, readSessionGraph } from '#sessions';
import { idpInReach, reaches } from './idp-in-reach.js';
import {
  logoutSummary,
  logoutView,
  sessionGraphView,
  sessionView,
  showLogout,
  showLogoutWithDeliveries,
  showSession,
  showSessionWithGraph,
} from './views.js';

const instant = z.iso.datetime({ offset: true }).transform((value) => new Date(value));
const registryId = z.string().min(1).max(64);

const logoutsQuery = pageSchema.extend({
  idp: registryId.optional(),
  sp: registryId.optional(),
  verdict: z.enum(VERDICTS).optional(),
  from: instant.optional().describe('Asked for at or after this instant'),
  to: instant.optional().describe('Asked for before this instant'),
  q: z.string().min(1).max(512).optional().describe('The id of a logout or a session, or the exact sid, sub or e-mail of a session'),
});

const sessionsQuery = pageSchema.extend({
  idp: registryId.optional(),
  sp: registryId.optional(),
  state: z.enum(['live', 'ended']).optional(),
  sid: z.string().min(1).max(512).optional(),
  sub: z.string().min(1).max(255).optional(),
  email: z.string().min(1).max(320).optional(),
  sessionIndex: z.string().min(1).max(512).optional(),
});

const listOf = (item: z.ZodType) => z.object({ items: z.array(item), nextCursor: z.string().optional() });
const logoutId = new ZodParam(z.string().refine(isId, 'must be a logout id (UUID)'), 'id');
const sessionId = new ZodParam(z.string().refine(isId, 'must be a session id (UUID)'), 'id');

/** What happened, for those who may know: an IdP's key sees its own. */
@Controller('v1')
@Allow('admin', 'idp')
export class LedgerController {
  constructor(private readonly database: Database) {}

  @Get('logouts')
  @ApiRoute({
    tag: 'Logouts',
    summary: 'List logouts, newest first',
    query: logoutsQuery,
    responses: { 200: { description: 'A page', schema: listOf(logoutSummary) } },
  })
  async logouts(@Query(new ZodQuery(logoutsQuery)) query: z.output<typeof logoutsQuery>, @CurrentCaller() caller: Caller) {
    const { limit, cursor: _, ...filter } = query;
    const idp = idpInReach(caller, filter.idp);
    const rows = await listLogouts(this.database, { ...filter, idp, before: startOf(query, isId), limit: limit + 1 });
    const { items, ...next } = pageOf(rows, limit);
    return { items: items.map(showLogout), ...next };
  }

  @Get('logouts/:id')
  @ApiRoute({
    tag: 'Logouts',
    summary: 'One logout with every delivery and every attempt',
    responses: { 200: { description: 'The logout', schema: logoutView } },
    errors: ['not_found'],
  })
  async logout(@Param('id', logoutId) id: string, @CurrentCaller() caller: Caller) {
    const logout = await readLogout(this.database, id);
    if (logout === null || !reaches(caller, logout.idpId)) throw new ExeuntError('not_found', `There is no logout "${id}"`);
    return showLogoutWithDeliveries(logout, await readDeliveries(this.database, logout));
  }

  @Get('sessions')
  @ApiRoute({
    tag: 'Sessions',
    summary: 'List sessions, newest first',
    query: sessionsQuery,
    responses: { 200: { description: 'A page', schema: listOf(sessionView) } },
  })
  async sessions(@Query(new ZodQuery(sessionsQuery)) query: z.output<typeof sessionsQuery>, @CurrentCaller() caller: Caller) {
    const { limit, cursor: _, ...filter } = query;
    const idp = idpInReach(caller, filter.idp);
    const rows = await listSessions(this.database, { ...filter, idp, before: startOf(query, isId), limit: limit + 1 });
    const { items, ...next } = pageOf(rows, limit);
    return { items: items.map(showSession), ...next };
  }

  @Get('sessions/:id')
  @ApiRoute({
    tag: 'Sessions',
    summary: 'One session with its graph',
    responses: { 200: { description: 'The session', schema: sessionGraphView } },
    errors: ['not_found'],
  })
  async session(@Param('id', sessionId) id: string, @CurrentCaller() caller: Caller) {
    const session = await readSession(this.database, id);
    if (session === null || !reaches(caller, session.idpId)) throw new ExeuntError('not_found', `There is no session "${id}"`);
    return showSessionWithGraph(session, await readSessionGraph(this.database, session));
  }
}
