import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Allow, ApiKeys, CurrentCaller } from '#access';
import type { Caller, KeyOwner } from '#access';
import { ApiRoute, ZodBody } from '#platform/http';
import { IdentityProviders, ServiceProviders } from '#registry';
import { mayReachIdp, mayReachSp } from './permissions.js';
import { newApiKeySchema } from './requests.js';
import type { NewApiKeyBody } from './requests.js';
import { apiKeyView, issuedKeyView, viewOfApiKey } from './views.js';

const TAG = 'API keys';
const keyList = z.object({ items: z.array(apiKeyView) });

const NEW = {
  summary: 'Make a new API key',
  description: 'The others stay valid, unless revokeOthersAfterSeconds says how long.',
  tag: TAG,
  body: newApiKeySchema,
  responses: { 201: { description: 'Made', schema: issuedKeyView } },
  errors: ['not_found', 'validation'] as const,
};
const LIST = {
  summary: 'List API keys',
  description: 'Newest first; without their secrets, which are not kept.',
  tag: TAG,
  responses: { 200: { description: 'The keys', schema: keyList } },
  errors: ['not_found'] as const,
};
const REVOKE = {
  summary: 'Revoke an API key',
  description: 'It is refused from the next request on, everywhere.',
  tag: TAG,
  responses: { 204: { description: 'Revoked' } },
  errors: ['not_found'] as const,
};

/** Keys of identity providers are given out by administrators, keys of service providers by their identity provider, too. */
@Controller('v1')
export class ApiKeysController {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly serviceProviders: ServiceProviders,
    private readonly apiKeys: ApiKeys,
  ) {}

  @Post('identity-providers/:id/api-keys')
  @Allow('admin')
  @ApiRoute(NEW)
  async createForIdp(
    @Param('id') id: string,
    @Body(new ZodBody(newApiKeySchema)) body: NewApiKeyBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.identityProviders.get(id);
    return this.make({ scope: 'idp', idpId: id }, body, reply);
  }

  @Get('identity-providers/:id/api-keys')
  @Allow('admin', 'idp')
  @ApiRoute(LIST)
  async listOfIdp(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    mayReachIdp(caller, id);
    await this.identityProviders.get(id);
    return { items: (await this.apiKeys.list({ scope: 'idp', idpId: id })).map(viewOfApiKey) };
  }

  @Delete('identity-providers/:id/api-keys/:keyId')
  @Allow('admin')
  @HttpCode(204)
  @ApiRoute(REVOKE)
  async revokeOfIdp(@Param('id') id: string, @Param('keyId') keyId: string): Promise<void> {
    await this.identityProviders.get(id);
    await this.apiKeys.revoke({ scope: 'idp', idpId: id }, keyId);
  }

  @Post('service-providers/:id/api-keys')
  @Allow('admin', 'idp')
  @ApiRoute(NEW)
  async createForSp(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new ZodBody(newApiKeySchema)) body: NewApiKeyBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    mayReachSp(caller, await this.serviceProviders.get(id));
    return this.make({ scope: 'sp', spId: id }, body, reply);
  }

  @Get('service-providers/:id/api-keys')
  @Allow('admin', 'idp')
  @ApiRoute(LIST)
  async listOfSp(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    mayReachSp(caller, await this.serviceProviders.get(id));
    return { items: (await this.apiKeys.list({ scope: 'sp', spId: id })).map(viewOfApiKey) };
  }

  @Delete('service-providers/:id/api-keys/:keyId')
  @Allow('admin', 'idp')
  @HttpCode(204)
  @ApiRoute(REVOKE)
  async revokeOfSp(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('keyId') keyId: string): Promise<void> {
    mayReachSp(caller, await this.serviceProviders.get(id));
    await this.apiKeys.revoke({ scope: 'sp', spId: id }, keyId);
  }

  private async make(owner: KeyOwner, body: NewApiKeyBody, reply: FastifyReply) {
    const overlap = body.revokeOthersAfterSeconds;
    const key = overlap === undefined ? await this.apiKeys.issue(owner) : await this.apiKeys.rotate(owner, overlap);
    void reply.header('cache-control', 'no-store');
    return { id: key.id, apiKey: key.plain };
  }
}
