import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { ExeuntError } from '#domain';
import { LOGGER } from '#platform';
import { ApiRoute, PageErrors } from '#platform/http';
import { Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import { parsePostMessage, parseRedirectMessage } from '#protocol/saml';
import type { IncomingMessage } from '#protocol/saml';
import { PublicUrl } from '#registry';
import { recordMessage } from './message-record.js';
import { ReceiveFrontChannel } from './receive-front-channel.js';
import { sendFront } from './send-front.js';

/** Below it each identity provider has its own single logout. */
export const SAML_SLO_PATH = 'saml/slo';

const FORM = 'application/x-www-form-urlencoded';
const relayState = z.string().optional().describe('Given back as it came');
const QUERY = z.object({
  SAMLRequest: z.string().optional().describe('A LogoutRequest: deflated, in base64'),
  SAMLResponse: z.string().optional().describe('A LogoutResponse: deflated, in base64'),
  RelayState: relayState,
  SigAlg: z.string().describe('A URI'),
  Signature: z.string().describe('Base64'),
});
const BODY = z.object({
  SAMLRequest: z.string().optional().describe('A signed LogoutRequest, in base64'),
  SAMLResponse: z.string().optional().describe('A signed LogoutResponse, in base64'),
  RelayState: relayState,
});
const RESPONSES = {
  200: { description: 'A page: a form on its way to the sender with the answer, or "signed out here" after a LogoutResponse' },
  303: { description: 'On to the page that carries the logout out, or back to the sender with the answer' },
  400: { description: 'A page: the message is not accepted, and there is nobody whom this could be told; nothing has changed' },
  404: { description: 'A page: there is no such identity provider, or it has no SAML side' },
};

/** Where browsers come with logout messages: of SPs, and of the identity provider, of which we are one. @see SLO-40, SLO-47, SLO-50 */
@Public()
@Controller(SAML_SLO_PATH)
export class FrontChannelController {
  constructor(
    private readonly receiver: ReceiveFrontChannel,
    private readonly publicUrl: PublicUrl,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Get(':idp')
  @PageErrors()
  @ApiRoute({
    tag: 'SAML',
    summary: 'Single logout over HTTP-Redirect',
    description: 'A signed LogoutRequest ends what it names, and the browser goes on to tell the others; a signed LogoutResponse is taken.',
    query: QUERY,
    responses: RESPONSES,
  })
  redirect(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (request.method !== 'GET') throw new ExeuntError('method_not_allowed', `${request.method} is not possible here, only GET and POST`);
    // The signature is over the query as it was written, which no parser gives back. @see SLO-44
    return this.receive(idpId, 'redirect', () => parseRedirectMessage(rawQueryOf(request)), request, reply);
  }

  @Post(':idp')
  @PageErrors()
  @ApiRoute({
    tag: 'SAML',
    summary: 'Single logout over HTTP-POST',
    description: 'As over HTTP-Redirect; the signature is inside the message.',
    body: BODY,
    bodyType: FORM,
    responses: RESPONSES,
  })
  post(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const type = request.headers['content-type'];
    if (type !== undefined && !new RegExp(`^${FORM}\\s*(;|$)`, 'i').test(type)) {
      throw new ExeuntError('unsupported_media_type', `The content type ${type.slice(0, 100)} is not supported here; wanted ${FORM}`);
    }
    return this.receive(idpId, 'post', () => parsePostMessage((request.body ?? {}) as Record<string, unknown>), request, reply);
  }

  private async receive(
    idpId: string,
    binding: 'redirect' | 'post',
    parse: () => IncomingMessage,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { shown, record } = await this.receiver.receive(idpId, binding, parse);
    recordMessage(this.log, this.metrics, record, request.id);
    sendFront(shown, this.publicUrl.get(), request, reply);
  }
}

function rawQueryOf({ raw }: FastifyRequest): string {
  const url = raw.url ?? '';
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}
