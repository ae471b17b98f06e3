import { Controller, Delete, Get, Inject, Options, Param, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { LOGGER } from '#platform';
import { ApiRoute, OAuthErrors } from '#platform/http';
import type { Logger } from '#platform/telemetry';
import { LOGOUT_REQUEST_CONTENT_TYPE } from '#protocol/oidc';
import { answerBackchannelLogout } from './answer-backchannel-logout.js';
import { ReceiveBackchannelLogout } from './receive-backchannel-logout.js';

/** Below it each identity provider has its own `backchannel_logout_uri` of us. */
export const BACKCHANNEL_LOGOUT_PATH = 'oidc/backchannel-logout';

const REQUEST = z.object({ logout_token: z.string().describe('A logout token: a JWT with the back-channel logout event') });
const REFUSAL = z.object({ error: z.string(), error_description: z.string() });

/** Where an identity provider posts its logout tokens, for which we are the RP. No cookie, no credentials. @see BCL-32, BCL-53 */
@Public()
@Controller(BACKCHANNEL_LOGOUT_PATH)
export class BackchannelLogoutController {
  constructor(
    private readonly receiver: ReceiveBackchannelLogout,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Post(':idp')
  @OAuthErrors()
  @ApiRoute({
    tag: 'OpenID Connect',
    summary: 'Back-channel logout of an identity provider',
    description: 'Ends the session that the logout token names, or every session of its user. Answered when the ending is durable.',
    body: REQUEST,
    bodyType: LOGOUT_REQUEST_CONTENT_TYPE,
    responses: {
      200: { description: 'Ended, or there was nothing to end' },
      400: { description: 'The request is refused, or the logout failed; nothing has changed', schema: REFUSAL },
    },
  })
  receive(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return answerBackchannelLogout(this.receiver, this.log, idpId, request, reply);
  }
}

/** Whatever is not a POST gets the 400 of a malformed request instead of the 405 that other paths answer. @see BCL-32, BCL-49 */
@Public()
@ApiExcludeController()
@Controller(BACKCHANNEL_LOGOUT_PATH)
export class OtherMethodsController {
  constructor(
    private readonly receiver: ReceiveBackchannelLogout,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Get(':idp')
  @OAuthErrors()
  get(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.refuse(idpId, request, reply);
  }

  @Put(':idp')
  @OAuthErrors()
  put(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.refuse(idpId, request, reply);
  }

  @Patch(':idp')
  @OAuthErrors()
  patch(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.refuse(idpId, request, reply);
  }

  @Delete(':idp')
  @OAuthErrors()
  delete(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.refuse(idpId, request, reply);
  }

  @Options(':idp')
  @OAuthErrors()
  options(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.refuse(idpId, request, reply);
  }

  /** The receiver judges the method first. */
  private refuse(idpId: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return answerBackchannelLogout(this.receiver, this.log, idpId, request, reply);
  }
}
