import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExeuntError } from '#domain';
import { Authenticator } from './authenticator.js';
import { ACCESS } from './decorators.js';
import type { Access } from './decorators.js';

const ADMIN_ONLY: Access = ['admin'];

/** Stands before every route: who may call is said by `@Public` and `@Allow`; silence means administrators only. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [context.getHandler(), context.getClass()]) ?? ADMIN_ONLY;
    if (access === 'public') return true;
    const http = context.switchToHttp();
    const caller = await this.authenticator.authenticate(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
    if (access.includes(caller.kind)) return true;
    throw new ExeuntError('forbidden', `This is for ${access.join(', ')}; the caller is ${caller.kind}`);
  }
}
