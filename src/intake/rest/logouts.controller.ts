import { Body, Controller, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Allow, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { BrowserLogout, CoordinateLogout } from '#coordinator';
import { ExeuntError, isId, VERDICTS } from '#domain';
import type { Initiator, Verdict } from '#domain';
import { readLogout } from '#ledger';
import { CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { ApiRoute, ZodBody, ZodParam } from '#platform/http';
import { IdentityProviders, PublicUrl } from '#registry';
import { readSession } from '#sessions';
import { waitUntil } from '../wait-until.js';
import { logoutPageUrl } from '../browser/index.js';
import { logoutSchema } from './event-schemas.js';
import { readWaitSeconds } from './prefer-wait.js';

const answerSchema = z.object({
  id: z.string().describe('The logout'),
  verdict: z.enum(VERDICTS),
  completedAt: z.string().optional(),
});

interface Answer {
  id: string;
  verdict: Verdict;
  completedAt?: string;
}

const idSchema = z.string().refine(isId, 'must be a logout id (UUID)');

/** Where identity providers and operators ask for a logout. */
@Controller('v1/logouts')
export class LogoutsController {
  constructor(
    private readonly coordinateLogout: CoordinateLogout,
    private readonly identityProviders: IdentityProviders,
    private readonly browserLogout: BrowserLogout,
    private readonly publicUrl: PublicUrl,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(202)
  @Allow('admin', 'idp')
  @ApiRoute({
    tag: 'Logouts',
    summary: 'Ask for a logout',
    description:
      'Ends the named sessions and all that hang on them, and has their service providers told. Answered when it is durable. ' +
      'Sessions that have ended before are answered with the logout that ended them. `Prefer: wait=N` waits at most N seconds for the last delivery.',
    body: logoutSchema,
    responses: { 202: { description: 'The logout; `Location` names it', schema: answerSchema } },
    errors: ['unknown_session'],
  })
  async logOut(
    @Body(new ZodBody(logoutSchema)) body: z.output<typeof logoutSchema>,
    @Headers('prefer') prefer: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer> {
    const waitSeconds = readWaitSeconds(prefer, this.config.server.waitLimitSeconds);
    const { idp, ...target } = body.target;
    const idpId = await this.idpOf(target.sessionId, idp, caller);
    const initiator: Initiator = caller.kind === 'admin' ? 'admin' : 'idp';
    const answer = await this.coordinateLogout.logOut(idpId, {
      target,
      cause: body.cause,
      initiator,
      scope: body.scope,
      reason: body.reason ?? null,
    });
    if (answer.kind === 'root-refused') {
      throw new ExeuntError('forbidden', `Service provider "${answer.spId}" may not end the session above its own (mayEndRoot is false)`, [
        { field: '/scope', seen: body.scope, rule: 'must be "session" for this service provider' },
      ]);
    }
    if (answer.kind === 'unknown' || answer.logoutId === null) {
      throw new ExeuntError('unknown_session', `No session of identity provider "${idpId}" bears these handles`, [
        { field: '/target', seen: target, rule: 'must name a session' },
      ]);
    }
    const { logoutId } = answer;
    void reply.header('location', `/v1/logouts/${logoutId}`);
    if (waitSeconds !== null) void reply.header('preference-applied', `wait=${waitSeconds}`);
    const logout = await waitUntil(
      async () => (await readLogout(this.database, logoutId))!,
      (seen) => seen.completedAt !== null,
      waitSeconds ?? 0,
    );
    return { id: logoutId, verdict: logout.verdict, ...(logout.completedAt ? { completedAt: logout.completedAt.toISOString() } : {}) };
  }

  @Post(':id/replay')
  @HttpCode(202)
  @Allow('admin')
  @ApiRoute({
    tag: 'Logouts',
    summary: 'Try the failed deliveries of a logout again',
    description: 'From their first channel on, until a new deadline. The report then counts how they end now.',
    responses: { 202: { description: 'How many deliveries were opened again', schema: z.object({ id: z.string(), reopened: z.int() }) } },
    errors: ['not_found'],
  })
  async replay(@Param('id', new ZodParam(idSchema, 'id')) id: string): Promise<{ id: string; reopened: number }> {
    return { id, reopened: await this.coordinateLogout.replay(id) };
  }

  @Post(':id/browser')
  @Allow('admin', 'idp')
  @ApiRoute({
    tag: 'Logouts',
    summary: "A page for the person's browser",
    description:
      "Give it to the person's browser: it carries out what needs one (deliveries that are `awaiting-browser`) and shows how all stand. " +
      'Whoever has the address has the logout, so it is for that browser alone. Asked again, it is another page of the same logout.',
    responses: {
      201: { description: 'The page', schema: z.object({ url: z.string(), expiresAt: z.string().describe('Not found from then on') }) },
    },
    errors: ['not_found'],
  })
  async openPage(
    @Param('id', new ZodParam(idSchema, 'id')) id: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ url: string; expiresAt: string }> {
    const logout = await readLogout(this.database, id);
    if (logout === null || (caller.kind === 'idp' && logout.idpId !== caller.idpId)) {
      throw new ExeuntError('not_found', `There is no logout "${id}"`);
    }
    const { token, expiresAt } = await this.browserLogout.open(logout.idpId, id);
    // A secret is in it.
    void reply.header('cache-control', 'no-store');
    return { url: logoutPageUrl(this.publicUrl.get(), token), expiresAt: expiresAt.toISOString() };
  }

  /** The IdP whose session is meant; a key of another one is told what it may do, not what there is. */
  private async idpOf(sessionId: string | undefined, idp: string | undefined, caller: Caller): Promise<string> {
    if (caller.kind === 'idp' && idp !== undefined && idp !== caller.idpId) {
      throw new ExeuntError('forbidden', `This key is of identity provider "${caller.idpId}"; the target is of "${idp}"`, [
        { field: '/target/idp', seen: idp, rule: `must be "${caller.idpId}"` },
      ]);
    }
    if (sessionId !== undefined && idp === undefined) {
      const session = await readSession(this.database, sessionId);
      if (session === null || (caller.kind === 'idp' && session.idpId !== caller.idpId)) {
        throw new ExeuntError('unknown_session', `There is no session "${sessionId}"`, [
          { field: '/target/sessionId', seen: sessionId, rule: 'must be a session that this key reaches' },
        ]);
      }
      return session.idpId;
    }
    return (await this.identityProviders.get(idp!)).id;
  }
}
