import { Global, Module } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { AccessGuard } from './access-guard.js';
import { ApiKeys } from './api-keys.js';
import { Authenticator } from './authenticator.js';
import { TrustedIssuers } from './trusted-issuers.js';

/** Who may call. Importing it once guards every route of the application. */
@Global()
@Module({
  providers: [ApiKeys, TrustedIssuers, Authenticator, AccessGuard, { provide: APP_GUARD, useExisting: AccessGuard }],
  exports: [ApiKeys, Authenticator],
})
export class AccessModule implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly authenticator: Authenticator,
  ) {}

  /** Below `/v1` the caller is known before the body is read: strangers cannot make us parse megabytes. */
  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onRequest', async (request, reply) => {
      if (!request.is404 && request.url.startsWith('/v1/')) await this.authenticator.authenticate(request, reply);
    });
  }
}
