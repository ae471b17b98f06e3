import { Injectable, Optional } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExeuntError, isExeuntError } from '#domain';
import type {} from '#platform/http';
import { Metrics } from '#platform/telemetry';
import { ApiKeys } from './api-keys.js';
import { nameOfCaller } from './caller.js';
import type { Caller } from './caller.js';
import { TrustedIssuers } from './trusted-issuers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the caller is known. */
    caller?: Caller;
  }
}

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;
/** Longer than any key, and than any token one can send in a header in practice. */
const LONGEST = 8_192;

/** Says who calls, by `Authorization: Bearer`. @see RFC 6750 */
@Injectable()
export class Authenticator {
  constructor(
    private readonly keys: ApiKeys,
    private readonly issuers: TrustedIssuers,
    @Optional() private readonly metrics?: Metrics,
  ) {}

  /**
   * The caller of a request; remembered on it. Failures count against the address.
   * @throws ExeuntError `unauthorized`, with the challenge already on the reply; `too_many_requests`, `forbidden`, `unavailable`
   */
  async authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
    if (request.caller) return request.caller;
    const limits = request.server.limits;
    await limits?.checkSignIn(request, reply);
    try {
      const caller = await this.judge(request.headers.authorization);
      request.caller = caller;
      request.callerName = nameOfCaller(caller);
      await limits?.countCaller(request, reply);
      return caller;
    } catch (error) {
      if (isExeuntError(error) && error.code === 'unauthorized') {
        this.metrics?.authFailed();
        await limits?.countFailedSignIn(request);
        const invalid = request.headers.authorization === undefined ? '' : ', error="invalid_token"';
        void reply.header('www-authenticate', `Bearer realm="exeunt"${invalid}`);
      }
      if (isExeuntError(error) && error.code === 'forbidden') {
        void reply.header('www-authenticate', 'Bearer realm="exeunt", error="insufficient_scope"');
      }
      throw error;
    }
  }

  private async judge(header: string | undefined): Promise<Caller> {
    if (header === undefined)
      throw new ExeuntError('unauthorized', 'There is no Authorization header; wanted: Bearer with an API key or a JWT');
    const token = BEARER.exec(header)?.[1];
    if (token === undefined || token.length > LONGEST) {
      throw new ExeuntError('unauthorized', 'The Authorization header is not `Bearer <API key or JWT>`');
    }
    if (this.issuers.takes(token)) return this.issuers.verify(token);
    const caller = await this.keys.find(token);
    if (!caller) throw new ExeuntError('unauthorized', 'The API key is not known, or was revoked');
    return caller;
  }
}
