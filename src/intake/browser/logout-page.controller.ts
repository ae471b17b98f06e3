import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { BrowserLogout } from '#coordinator';
import type { FlowState } from '#coordinator';
import { ExeuntError } from '#domain';
import type { Clock } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { ApiRoute, buildMessagePage, PageErrors } from '#platform/http';
import { IdentityProviders, loadServiceProviders } from '#registry';
import type { BrowserAnswer } from '../browser-answer.js';
import { buildFormPostPage } from '../form-post-page.js';
import type { FormPostLimits } from '../form-post-page.js';
import { AnswerInitiator } from '../saml/index.js';
import { APPLICATION_STATES, describeFlow, NEXT_STEPS } from './describe-flow.js';
import { frameOrigins, framersOf } from './frame-origins.js';
import { LOGOUT_PAGE_PATH } from './logout-page-path.js';
import { renderPage } from './render-page.js';
import { PAGE_TEXTS } from './texts.js';

const TAG = 'Logout page';
/** 256 bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const NUMBER = /^[1-9]\d{0,8}$/;
const NEVER_STORED = { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' };

const STATE = z.object({
  title: z.string(),
  message: z.string(),
  deliveries: z.array(
    z.object({
      n: z.int(),
      name: z.string(),
      state: z.enum(APPLICATION_STATES),
      text: z.string().describe('How it stands, in words'),
      leg: z
        .object({ channel: z.string(), isDue: z.boolean().describe('The browser is to be sent there now, by a frame of legs/{n}') })
        .nullable()
        .describe('What the browser has to do with it'),
    }),
  ),
  settled: z.boolean().describe('Nothing more can come of waiting'),
  answerAt: z.string().describe('The page waits no longer than that'),
  next: z.enum(NEXT_STEPS),
  isOpen: z.boolean().describe('Something may still change, whether the page waits for it or not'),
  owesAnswer: z.boolean(),
});
const GONE = { 404: { description: 'There is no such logout, or its time is over' } };

/**
 * The page that takes a person's browser through a logout. The secret in its address is all that is asked for, so it goes to the browser alone, no
 * referrer carries it on, and no cookie lets another site do anything here in somebody's name. The legs are reached by a GET that changes something,
 * for a frame can do nothing else; what looks ahead of people loads the page and not its frames, and the page by itself changes nothing.
 */
@Public()
@Controller(LOGOUT_PAGE_PATH)
export class LogoutPageController {
  constructor(
    private readonly browserLogout: BrowserLogout,
    private readonly identityProviders: IdentityProviders,
    private readonly database: Database,
    private readonly initiator: AnswerInitiator,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get(':token')
  @PageErrors()
  @ApiRoute({
    tag: TAG,
    summary: 'The page of a logout',
    description:
      'Sends the browser to the applications that need it, by frames, and goes back to the one who began when all is done or its time is over.',
    responses: { 200: { description: 'A page' }, ...GONE },
  })
  async page(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const flow = await this.read(token);
    if (flow === null) return notFound(reply);
    const sps = await loadServiceProviders(
      this.database,
      flow.deliveries.map(({ spId }) => spId),
    );
    const now = this.clock.now();
    const page = renderPage(describeFlow(flow, now), {
      base: token,
      frameOrigins: frameOrigins(flow, sps),
      framedBy: await this.framersOf(flow),
      legTimeoutMs: this.config.browser.legTimeoutMs,
      now,
    });
    void reply.headers(page.headers).send(page.html);
  }

  @Get(':token/state')
  @ApiRoute({
    tag: TAG,
    summary: 'How a logout stands',
    responses: { 200: { description: 'What the page shows', schema: STATE } },
    errors: ['not_found'],
  })
  async state(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const flow = await this.read(token);
    if (flow === null) throw new ExeuntError('not_found', 'There is no such logout, or its time is over');
    const view = JSON.stringify(describeFlow(flow, this.clock.now()));
    void reply.headers(NEVER_STORED).header('content-type', 'application/json; charset=utf-8').send(view);
  }

  @Get(':token/legs/:n')
  @PageErrors()
  @ApiRoute({
    tag: TAG,
    summary: 'On to an application',
    description: 'Loaded by a frame of the page: the browser goes to the application with a LogoutRequest, once.',
    responses: { 200: { description: 'A form on its way there, or nothing to do' }, 303: { description: 'On to the application' } },
  })
  async leg(
    @Param('token') token: string,
    @Param('n') n: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    refuseHead(request);
    const leg = TOKEN.test(token) && NUMBER.test(n) ? await this.browserLogout.beginLeg(token, Number(n)) : null;
    if (leg?.method === 'redirect') return redirect(leg.url, reply);
    if (leg?.method === 'post') return sendForm(leg, reply, await this.limitsOfLeg(token, leg.action));
    const page = buildMessagePage({ ...PAGE_TEXTS.nothingToDo, framedBy: 'self' });
    void reply.headers(page.headers).send(page.html);
  }

  /**
   * Not held back until all is done: a person who does not want to wait goes on, and what is open then makes it a partial logout, which is the truth.
   * Where nobody is owed an answer, or the one who asked has no address any more, the page is the end.
   */
  @Get(':token/answer')
  @PageErrors()
  @ApiRoute({
    tag: TAG,
    summary: 'Back to the one who began the logout',
    description:
      'With the answer: success, or success in part when anything is open still. A person who does not want to wait may go at any time.',
    responses: {
      200: { description: 'A form on its way there' },
      303: { description: 'Back to the one who began, or to the page' },
      ...GONE,
    },
  })
  async answer(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    refuseHead(request);
    const flow = TOKEN.test(token) ? await this.browserLogout.finish(token) : null;
    if (flow === null) return notFound(reply);
    const answer = await this.initiator.answer(flow);
    if (answer === null) return redirect(`../${token}`, reply);
    if (answer.method === 'redirect') return redirect(answer.url, reply);
    return sendForm(answer, reply, { framedBy: await this.framersOf(flow) });
  }

  private async read(token: string): Promise<FlowState | null> {
    return TOKEN.test(token) ? this.browserLogout.read(token) : null;
  }

  private async framersOf({ reply, idpId }: Pick<FlowState, 'reply' | 'idpId'>): Promise<string[]> {
    return reply !== null && reply.spId === null ? framersOf(await this.identityProviders.find(idpId)) : [];
  }

  /** It goes to its application, and from there back to us with the answer: some browsers hold a form's redirects against the same list. @see SLO-48 */
  private async limitsOfLeg(token: string, action: string): Promise<FormPostLimits> {
    const flow = await this.read(token);
    return { formAction: ["'self'", new URL(action).origin], framedBy: flow ? await this.framersOf(flow) : [] };
  }
}

/** The router answers HEAD by what it has for GET; here that would send a message nowhere. */
function refuseHead({ method }: FastifyRequest): void {
  if (method !== 'GET') throw new ExeuntError('method_not_allowed', `${method} is not possible here, only GET`);
}

function notFound(reply: FastifyReply): void {
  const page = buildMessagePage(PAGE_TEXTS.notFound);
  void reply.code(404).headers(page.headers).send(page.html);
}

/** @see SLO-47 */
function sendForm(form: Extract<BrowserAnswer, { method: 'post' }>, reply: FastifyReply, limits: FormPostLimits): void {
  const page = buildFormPostPage(form, limits);
  void reply.headers(page.headers).send(page.html);
}

/** @see SLO-40 */
function redirect(url: string, reply: FastifyReply): void {
  void reply.code(303).headers(NEVER_STORED).header('location', url).send();
}
