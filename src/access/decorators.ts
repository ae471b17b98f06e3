import { applyDecorators, createParamDecorator, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ExeuntError } from '#domain';
import type { Caller, CallerKind } from './caller.js';

export const ACCESS = 'exeunt:access';

/** `public`, or the kinds of callers that may call. */
export type Access = 'public' | readonly CallerKind[];

/** Anybody may call; nobody is asked who they are. Not for routes below `/v1`, which are all authenticated before their body is read. */
export function Public(): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, 'public' satisfies Access), ApiExtension('x-access', ['public']));
}

/** Only these kinds of callers. Without this decorator: administrators only. On a method it replaces that of the class. */
export function Allow(...kinds: CallerKind[]): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, kinds satisfies Access), ApiExtension('x-access', kinds));
}

/** `@CurrentCaller() caller: Caller`: who calls this route. */
export const CurrentCaller = createParamDecorator((_: unknown, context): Caller => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  if (request.caller === undefined) throw new ExeuntError('internal', 'A public route has no caller');
  return request.caller;
});
