import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { BrowserLogout } from '#coordinator';
import { OUTCOMES } from '#domain';
import type { Clock } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { ApiRoute, buildMessagePage, PageErrors } from '#platform/http';
import { ServiceProviders } from '#registry';
import type { BrowserAnswer } from '../browser-answer.js';
import { buildFormPostPage } from '../form-post-page.js';
import { AnswerInitiator } from '../saml/index.js';
import { describeFlow } from './describe-flow.js';
import type { FlowView } from './describe-flow.js';
import { frameOrigins } from './frame-origins.js';
import { LOGOUT_PAGE_PATH } from './logout-page-path.js';
import { renderPage } from './render-page.js';
import { PAGE_TEXTS } from './texts.js';

const TAG = 'Logout page';
/** 256 bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const NEVER_STORED = { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' };

const STATE = z.object({
  title: z.string(),
  message: z.string(),
  applications: z.array(
    z.object({
      n: z.int(),
      name: z.string(),
      outcome: z.enum(OUTCOMES),
      text: z.string().describe('How it stands, in words'),
      isDue: z.boolean().describe('The browser is to be sent to it now, by a frame of legs/{n}'),
      isUnderWay: z.boolean(),
    }),
  ),
  isOver: z.boolean(),
  next: z.enum(['answer']).nullable(),
  owesAnswer: z.boolean(),
});

/**
 * The page that takes a person's browser through a logout. Whoever has its address has the logout: it goes to the browser alone, and no referrer carries
 * it on. There is no cookie, so that nothing can be done here in somebody's name. Loading the page changes nothing, for those that look ahead of people;
 * the legs are what its frames load.
 */
@Public()
@Controller(LOGOUT_PAGE_PATH)
export class LogoutPageController {
  constructor(
    private readonly browserLogout: BrowserLogout,
    private readonly serviceProviders: ServiceProviders,
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
    responses: { 200: { description: 'A page' }, 404: { description: 'A page: there is no such logout, or its time is over' } },
  })
  async page(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const flow = TOKEN.test(token) ? await this.browserLogout.read(token) : null;
    if (flow === null) return this.notFound(reply);
    const sps = await this.serviceProviders.loadMany(flow.deliveries.map(({ spId }) => spId));
    const page = renderPage(describeFlow(flow, this.clock.now()), {
      base: `/${LOGOUT_PAGE_PATH}/${token}`,
      frameOrigins: frameOrigins(flow, sps),
      refreshSeconds: Math.ceil(this.config.browser.legTimeoutMs / 1_000) + 1,
    });
    void reply.headers(page.headers).send(page.html);
  }

  @Get(':token/state')
  @PageErrors()
  @ApiRoute({ tag: TAG, summary: 'How a logout stands', responses: { 200: { description: 'What the page shows', schema: STATE } } })
  async state(@Param('token') token: string, @Res() reply: FastifyReply): Promise<void> {
    const flow = TOKEN.test(token) ? await this.browserLogout.read(token) : null;
    if (flow === null) return this.notFound(reply);
    const view: FlowView = describeFlow(flow, this.clock.now());
    void reply.headers(NEVER_STORED).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(view));
  }

  @Get(':token/legs/:n')
  @PageErrors()
  @ApiRoute({
    tag: TAG,
    summary: 'On to an application',
    description: 'Loaded by a frame of the page: the browser goes to the application with a LogoutRequest, once.',
    responses: { 200: { description: 'A form on its way there, or nothing to do' }, 303: { description: 'On to the application' } },
  })
  async leg(@Param('token') token: string, @Param('n') n: string, @Res() reply: FastifyReply): Promise<void> {
    const leg = TOKEN.test(token) && /^[1-9]\d{0,8}$/.test(n) ? await this.browserLogout.beginLeg(token, Number(n)) : null;
    if (leg !== null) return sendOn(leg, reply);
    const page = buildMessagePage({ ...PAGE_TEXTS.nothingToDo, framedBy: 'self' });
    void reply.headers(page.headers).send(page.html);
  }

  @Get(':token/answer')
  @PageErrors()
  @ApiRoute({
    tag: TAG,
    summary: 'Back to the one who began the logout',
    description:
      'With the answer: success, or success in part when anything is open still. A person who does not want to wait may go at any time.',
    responses: { 200: { description: 'A form on its way there' }, 303: { description: 'Back to the one who began, or to the page' } },
  })
  async answer(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const flow = TOKEN.test(token) ? await this.browserLogout.finish(token) : null;
    if (flow === null) return this.notFound(reply);
    if (flow.reply === null) return redirect(`/${LOGOUT_PAGE_PATH}/${token}`, reply);
    const answer = await this.initiator.answer(flow);
    if (answer !== null) return sendOn(answer, reply);
    const page = buildMessagePage({ ...PAGE_TEXTS.noAnswer, reference: request.id });
    void reply.headers(page.headers).send(page.html);
  }

  private notFound(reply: FastifyReply): void {
    const page = buildMessagePage(PAGE_TEXTS.notFound);
    void reply.code(404).headers(page.headers).send(page.html);
  }
}

/** @see SLO-40, SLO-47 */
function sendOn(to: BrowserAnswer, reply: FastifyReply): void {
  if (to.method === 'redirect') return redirect(to.url, reply);
  const page = buildFormPostPage(to);
  void reply.headers(page.headers).send(page.html);
}

function redirect(url: string, reply: FastifyReply): void {
  void reply.code(303).headers(NEVER_STORED).header('location', url).send();
}
