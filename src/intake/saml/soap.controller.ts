import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { ExeuntError } from '#domain';
import { LOGGER } from '#platform';
import { ApiRoute, XmlBody } from '#platform/http';
import { Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import { SAML_SLO_PATH } from './front-channel.controller.js';
import { recordMessage } from './message-record.js';
import { ReceiveSoap } from './receive-soap.js';

const XML = 'text/xml';
const ENVELOPE = z.string().describe('A SOAP 1.1 envelope');
/** @see SLO-60 */
const HEADERS = { 'cache-control': 'no-cache, no-store, must-revalidate, private', pragma: 'no-cache' };

/** Where SPs and the identity provider ask for a logout without a browser. No SOAPAction and no other header is needed. @see SLO-57, SLO-58 */
@Public()
@Controller(SAML_SLO_PATH)
export class SoapController {
  constructor(
    private readonly receiver: ReceiveSoap,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Post(':idp/soap')
  @XmlBody()
  @ApiRoute({
    tag: 'SAML',
    summary: 'Single logout over SOAP',
    description:
      'A signed LogoutRequest ends what it names. Answered when all others have been told, when those that are left need a browser, or when the time is up (saml.soapAnswerWithinMs): Success, or Success with PartialLogout.',
    body: ENVELOPE,
    bodyType: XML,
    responses: {
      200: { description: 'A signed LogoutResponse, also where its status is an error', schema: ENVELOPE, contentType: XML },
      403: { description: 'The sender is not known, or its signature is not good; nothing has changed' },
      404: { description: 'There is no such identity provider, or it has no SAML side' },
      500: { description: 'A SOAP fault: the message cannot be read, or not be handled', schema: ENVELOPE, contentType: XML },
    },
  })
  async receive(@Param('idp') idpId: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { body } = request;
    if (typeof body !== 'string') {
      const type = request.headers['content-type']?.slice(0, 100) ?? 'none';
      throw new ExeuntError('unsupported_media_type', `The content type ${type} is not supported here; wanted ${XML}`);
    }
    const { answer, record } = await this.receiver.receive(idpId, body);
    recordMessage(this.log, this.metrics, record, request.id);
    void reply.code(answer.status).headers(HEADERS);
    if ('xml' in answer) void reply.header('content-type', `${XML}; charset=utf-8`).send(answer.xml);
    else void reply.send();
  }
}
