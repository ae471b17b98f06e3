import { Module } from '@nestjs/common';
import type { NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { CoordinatorModule, EndByLogoutToken } from '#coordinator';
import type { Clock } from '#domain';
import { CLOCK } from '#platform';
import { IdentityProviders, LogoutKeys, RegistryModule, UpstreamKeys } from '#registry';
import { LOGOUT_REQUEST_LIMIT_BYTES } from './answer-backchannel-logout.js';
import { BACKCHANNEL_LOGOUT_PATH, BackchannelLogoutController, OtherMethodsController } from './backchannel-logout.controller.js';
import { ReceiveBackchannelLogout } from './receive-backchannel-logout.js';

/** The OpenID Connect edge: `POST /oidc/backchannel-logout/{idp}`. */
@Module({
  imports: [RegistryModule, CoordinatorModule],
  controllers: [BackchannelLogoutController, OtherMethodsController],
  providers: [
    {
      provide: ReceiveBackchannelLogout,
      useFactory: (idps: IdentityProviders, upstreamKeys: UpstreamKeys, logoutKeys: LogoutKeys, ending: EndByLogoutToken, clock: Clock) =>
        new ReceiveBackchannelLogout(idps, upstreamKeys, logoutKeys, ending, clock),
      inject: [IdentityProviders, UpstreamKeys, LogoutKeys, EndByLogoutToken, CLOCK],
    },
  ],
})
export class OidcIntakeModule implements NestModule {
  constructor(private readonly host: HttpAdapterHost<FastifyAdapter>) {}

  /** Nest calls this before it adds the routes: the last moment at which the limit of a route can be set. */
  configure(): void {
    limitLogoutRequests(this.host.httpAdapter.getInstance<FastifyInstance>());
  }
}

/** Bodies of back-channel logout requests are short; the rest of the server takes longer ones. @see BCL-53 */
export function limitLogoutRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.url.startsWith(`/${BACKCHANNEL_LOGOUT_PATH}/`)) route.bodyLimit = LOGOUT_REQUEST_LIMIT_BYTES;
  });
}
