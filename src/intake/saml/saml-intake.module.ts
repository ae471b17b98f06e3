import { Module } from '@nestjs/common';
import type { NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { BrowserLogout, CoordinatorModule, EndBySamlRequest } from '#coordinator';
import type { Clock } from '#domain';
import { readStanding } from '#ledger';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { IdentityProviders, PublicUrl, RegistryModule, SamlKeys, SamlParties, ServiceProviders, sloEndpointsOf } from '#registry';
import { AnswerInitiator } from './answer-initiator.js';
import { BelieveMessage } from './believe-message.js';
import { FrontChannelController, SAML_SLO_PATH } from './front-channel.controller.js';
import { ReceiveFrontChannel } from './receive-front-channel.js';
import { ReceiveSoap } from './receive-soap.js';
import { SoapController } from './soap.controller.js';
import { WriteAnswer } from './write-answer.js';

/** A longer body is refused before it is read to its end. Bytes. */
export const SAML_BODY_LIMIT_BYTES = 256 * 1024;

/** The SAML edge: `GET|POST /saml/slo/{idp}` and `POST /saml/slo/{idp}/soap`. */
@Module({
  imports: [RegistryModule, CoordinatorModule],
  controllers: [FrontChannelController, SoapController],
  providers: [
    {
      provide: WriteAnswer,
      useFactory: (keys: SamlKeys, clock: Clock) => new WriteAnswer(keys, clock),
      inject: [SamlKeys, CLOCK],
    },
    {
      provide: AnswerInitiator,
      useFactory: (idps: IdentityProviders, sps: ServiceProviders, answers: WriteAnswer) => new AnswerInitiator(idps, sps, answers),
      inject: [IdentityProviders, ServiceProviders, WriteAnswer],
    },
    {
      provide: BelieveMessage,
      useFactory: (idps: IdentityProviders, parties: SamlParties, keys: SamlKeys, publicUrl: PublicUrl, clock: Clock, config: Config) =>
        new BelieveMessage(idps, parties, keys, { of: (idpId) => sloEndpointsOf(publicUrl.get(), idpId) }, clock, config.saml),
      inject: [IdentityProviders, SamlParties, SamlKeys, PublicUrl, CLOCK, CONFIG],
    },
    {
      provide: ReceiveFrontChannel,
      useFactory: (believe: BelieveMessage, ending: EndBySamlRequest, flows: BrowserLogout, answers: WriteAnswer, clock: Clock) =>
        new ReceiveFrontChannel(believe, ending, flows, answers, clock),
      inject: [BelieveMessage, EndBySamlRequest, BrowserLogout, WriteAnswer, CLOCK],
    },
    {
      provide: ReceiveSoap,
      useFactory: (
        believe: BelieveMessage,
        ending: EndBySamlRequest,
        database: Database,
        answers: WriteAnswer,
        clock: Clock,
        config: Config,
      ) => new ReceiveSoap(believe, ending, (id) => readStanding(database, id), answers, clock, config.saml.soapAnswerWithinMs),
      inject: [BelieveMessage, EndBySamlRequest, Database, WriteAnswer, CLOCK, CONFIG],
    },
  ],
  exports: [AnswerInitiator],
})
export class SamlIntakeModule implements NestModule {
  constructor(private readonly host: HttpAdapterHost<FastifyAdapter>) {}

  /** Nest calls this before it adds the routes: the last moment at which the limit of a route can be set. */
  configure(): void {
    limitSamlMessages(this.host.httpAdapter.getInstance<FastifyInstance>());
  }
}

/** Messages are short; the rest of the server takes longer bodies. */
export function limitSamlMessages(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.url.startsWith(`/${SAML_SLO_PATH}/`)) route.bodyLimit = SAML_BODY_LIMIT_BYTES;
  });
}
