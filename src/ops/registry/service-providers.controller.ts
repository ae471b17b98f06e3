import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Allow, ApiKeys, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ApiRoute, ZodBody, ZodQuery } from '#platform/http';
import { SamlMetadata, ServiceProviders, serviceProviderReplacementSchema, serviceProviderSchema } from '#registry';
import type { ServiceProvider, ServiceProviderRegistration, ServiceProviderReplacement } from '#registry';
import { mayReachIdp, mayReachSp } from './permissions.js';
import { serviceProviderListSchema } from './requests.js';
import type { ServiceProviderListQuery } from './requests.js';
import { apiKeyMember, pageView, serviceProviderView, viewOfPage, viewOfServiceProvider } from './views.js';

const TAG = 'Service providers';

@Controller('v1/service-providers')
export class ServiceProvidersController {
  constructor(
    private readonly serviceProviders: ServiceProviders,
    private readonly metadata: SamlMetadata,
    private readonly apiKeys: ApiKeys,
  ) {}

  @Post()
  @Allow('admin', 'idp')
  @ApiRoute({
    summary: 'Register a service provider',
    description:
      'Makes its API key, and a logout key of its identity provider for each algorithm that is new to it. SAML metadata is read, or fetched, at once.',
    tag: TAG,
    body: serviceProviderSchema,
    responses: { 201: { description: 'Registered', schema: serviceProviderView.extend({ apiKey: apiKeyMember }) } },
    errors: ['not_found', 'conflict', 'validation', 'refused_address', 'bad_upstream'],
  })
  async create(
    @CurrentCaller() caller: Caller,
    @Body(new ZodBody(serviceProviderSchema)) body: ServiceProviderRegistration,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    mayReachIdp(caller, body.idp);
    const { serviceProvider, extra } = await this.serviceProviders.create(body, (sql) =>
      this.apiKeys.issue({ scope: 'sp', spId: body.id }, sql),
    );
    void reply.headers({ location: `/v1/service-providers/${body.id}`, 'cache-control': 'no-store' });
    return { ...(await this.viewOf(serviceProvider)), apiKey: extra.plain };
  }

  @Get()
  @Allow('admin', 'idp')
  @ApiRoute({
    summary: 'List service providers',
    description: 'In the order of their ids. An identity provider sees its own.',
    tag: TAG,
    query: serviceProviderListSchema,
    responses: { 200: { description: 'A page', schema: pageView(serviceProviderView) } },
    errors: ['validation'],
  })
  async list(@CurrentCaller() caller: Caller, @Query(new ZodQuery(serviceProviderListSchema)) query: ServiceProviderListQuery) {
    if (query.idp !== undefined) mayReachIdp(caller, query.idp);
    const idp = caller.kind === 'idp' ? caller.idpId : query.idp;
    const page = await this.serviceProviders.list(query, idp);
    const standings = await this.metadata.standingsOfSps(page.items);
    return viewOfPage(page, (sp) => viewOfServiceProvider(sp, standings.get(sp.id)));
  }

  @Get(':id')
  @Allow('admin', 'idp', 'sp')
  @ApiRoute({
    summary: 'Read a service provider',
    tag: TAG,
    responses: { 200: { description: 'The service provider', schema: serviceProviderView } },
    errors: ['not_found'],
  })
  async read(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    return this.viewOf(await this.reach(caller, id));
  }

  @Put(':id')
  @Allow('admin', 'idp', 'sp')
  @ApiRoute({
    summary: 'Replace a service provider',
    description:
      'What is left out goes back to its default; uploaded SAML metadata stays where the channel comes without any. A service provider itself may not change its layer, mayEndRoot and enabled; left out, they stay.',
    tag: TAG,
    body: serviceProviderReplacementSchema,
    responses: { 200: { description: 'Replaced', schema: serviceProviderView } },
    errors: ['not_found', 'conflict', 'validation', 'refused_address', 'bad_upstream'],
  })
  async replace(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new ZodBody(serviceProviderReplacementSchema)) body: ServiceProviderReplacement,
  ) {
    await this.reach(caller, id);
    return this.viewOf(await this.serviceProviders.replace(id, body, { ownOnly: caller.kind === 'sp' }));
  }

  @Delete(':id')
  @Allow('admin')
  @HttpCode(204)
  @ApiRoute({
    summary: 'Delete a service provider',
    description: 'With its API keys. Sessions it has stay; it can no longer be told of their end.',
    tag: TAG,
    responses: { 204: { description: 'Deleted' } },
    errors: ['not_found'],
  })
  async delete(@Param('id') id: string): Promise<void> {
    await this.serviceProviders.delete(id);
  }

  private async viewOf(sp: ServiceProvider) {
    return viewOfServiceProvider(sp, (await this.metadata.standingsOfSps([sp])).get(sp.id));
  }

  private async reach(caller: Caller, id: string) {
    // An SP's key learns nothing of other ids, not even which there are.
    if (caller.kind === 'sp') mayReachSp(caller, { id, idp: '' });
    const sp = await this.serviceProviders.get(id);
    mayReachSp(caller, sp);
    return sp;
  }
}
