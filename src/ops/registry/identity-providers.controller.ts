import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Allow, ApiKeys, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ApiRoute, ZodBody, ZodQuery } from '#platform/http';
import { pageSchema } from '#platform/paging';
import type { PageRequest } from '#platform/paging';
import { IdentityProviders, identityProviderReplacementSchema, identityProviderSchema, PublishedKeys } from '#registry';
import type { IdentityProviderRegistration, IdentityProviderReplacement } from '#registry';
import { mayReachIdp } from './permissions.js';
import { apiKeyMember, identityProviderView, pageView, viewOfIdentityProvider, viewOfPage } from './views.js';

const TAG = 'Identity providers';

@Controller('v1/identity-providers')
export class IdentityProvidersController {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly published: PublishedKeys,
    private readonly apiKeys: ApiKeys,
  ) {}

  @Post()
  @Allow('admin')
  @ApiRoute({
    summary: 'Register an identity provider',
    description: 'Makes its logout keys (ES256 and RS256) and its API key.',
    tag: TAG,
    body: identityProviderSchema,
    responses: { 201: { description: 'Registered', schema: identityProviderView.extend({ apiKey: apiKeyMember }) } },
    errors: ['conflict', 'validation', 'refused_address'],
  })
  async create(
    @Body(new ZodBody(identityProviderSchema)) body: IdentityProviderRegistration,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { identityProvider, extra } = await this.identityProviders.create(body, (sql) =>
      this.apiKeys.issue({ scope: 'idp', idpId: body.id }, sql),
    );
    void reply.headers({ location: `/v1/identity-providers/${body.id}`, 'cache-control': 'no-store' });
    return { ...viewOfIdentityProvider(identityProvider), apiKey: extra.plain };
  }

  @Get()
  @Allow('admin', 'idp')
  @ApiRoute({
    summary: 'List identity providers',
    description: 'In the order of their ids. An identity provider sees itself.',
    tag: TAG,
    query: pageSchema,
    responses: { 200: { description: 'A page', schema: pageView(identityProviderView) } },
    errors: ['validation'],
  })
  async list(@CurrentCaller() caller: Caller, @Query(new ZodQuery(pageSchema)) page: PageRequest) {
    if (caller.kind === 'idp') return { items: [viewOfIdentityProvider(await this.identityProviders.get(caller.idpId))] };
    return viewOfPage(await this.identityProviders.list(page), viewOfIdentityProvider);
  }

  @Get(':id')
  @Allow('admin', 'idp')
  @ApiRoute({
    summary: 'Read an identity provider',
    tag: TAG,
    responses: { 200: { description: 'The identity provider', schema: identityProviderView } },
    errors: ['not_found'],
  })
  async read(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    mayReachIdp(caller, id);
    return viewOfIdentityProvider(await this.identityProviders.get(id));
  }

  @Put(':id')
  @Allow('admin')
  @ApiRoute({
    summary: 'Replace an identity provider',
    description: 'What is left out goes back to its default. Its logout keys and API keys stay.',
    tag: TAG,
    body: identityProviderReplacementSchema,
    responses: { 200: { description: 'Replaced', schema: identityProviderView } },
    errors: ['not_found', 'validation', 'refused_address'],
  })
  async replace(@Param('id') id: string, @Body(new ZodBody(identityProviderReplacementSchema)) body: IdentityProviderReplacement) {
    const replaced = await this.identityProviders.replace(id, body);
    this.published.forget(id);
    return viewOfIdentityProvider(replaced);
  }

  @Delete(':id')
  @Allow('admin')
  @HttpCode(204)
  @ApiRoute({
    summary: 'Delete an identity provider',
    description: 'With its logout keys and API keys. Not while service providers rely on it.',
    tag: TAG,
    responses: { 204: { description: 'Deleted' } },
    errors: ['not_found', 'conflict'],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.identityProviders.delete(id);
    this.published.forget(id);
  }
}
