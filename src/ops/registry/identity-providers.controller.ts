import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Allow, ApiKeys, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ApiRoute, ZodBody, ZodQuery } from '#platform/http';
import { pageSchema } from '#platform/paging';
import type { PageRequest } from '#platform/paging';
import {
  IdentityProviders,
  identityProviderReplacementSchema,
  identityProviderSchema,
  PublishedKeys,
  PublishedSaml,
  SamlMetadata,
} from '#registry';
import type { IdentityProvider, IdentityProviderRegistration, IdentityProviderReplacement } from '#registry';
import { mayReachIdp } from './permissions.js';
import { apiKeyMember, identityProviderView, pageView, viewOfIdentityProvider, viewOfPage } from './views.js';

const TAG = 'Identity providers';

@Controller('v1/identity-providers')
export class IdentityProvidersController {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly published: PublishedKeys,
    private readonly publishedSaml: PublishedSaml,
    private readonly metadata: SamlMetadata,
    private readonly apiKeys: ApiKeys,
  ) {}

  @Post()
  @Allow('admin')
  @ApiRoute({
    summary: 'Register an identity provider',
    description:
      'Makes its logout keys (ES256 and RS256 for OIDC, certificates for SAML) and its API key. SAML metadata is read, or fetched, at once.',
    tag: TAG,
    body: identityProviderSchema,
    responses: { 201: { description: 'Registered', schema: identityProviderView.extend({ apiKey: apiKeyMember }) } },
    errors: ['conflict', 'validation', 'refused_address', 'bad_upstream'],
  })
  async create(
    @Body(new ZodBody(identityProviderSchema)) body: IdentityProviderRegistration,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { identityProvider, extra } = await this.identityProviders.create(body, (sql) =>
      this.apiKeys.issue({ scope: 'idp', idpId: body.id }, sql),
    );
    void reply.headers({ location: `/v1/identity-providers/${body.id}`, 'cache-control': 'no-store' });
    return { ...(await this.viewOf(identityProvider)), apiKey: extra.plain };
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
    if (caller.kind === 'idp') return { items: [await this.viewOf(await this.identityProviders.get(caller.idpId))] };
    const found = await this.identityProviders.list(page);
    const standings = await this.metadata.standingsOfIdps(found.items.map((idp) => idp.id));
    return viewOfPage(found, (idp) => viewOfIdentityProvider(idp, standings.get(idp.id)));
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
    return this.viewOf(await this.identityProviders.get(id));
  }

  @Put(':id')
  @Allow('admin')
  @ApiRoute({
    summary: 'Replace an identity provider',
    description:
      'What is left out goes back to its default; uploaded SAML metadata stays where saml comes without any. Its logout keys, SAML keys and API keys stay.',
    tag: TAG,
    body: identityProviderReplacementSchema,
    responses: { 200: { description: 'Replaced', schema: identityProviderView } },
    errors: ['not_found', 'conflict', 'validation', 'refused_address', 'bad_upstream'],
  })
  async replace(@Param('id') id: string, @Body(new ZodBody(identityProviderReplacementSchema)) body: IdentityProviderReplacement) {
    const replaced = await this.identityProviders.replace(id, body);
    this.forget(id);
    return this.viewOf(replaced);
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
    this.forget(id);
  }

  private async viewOf(idp: IdentityProvider) {
    return viewOfIdentityProvider(idp, (await this.metadata.standingsOfIdps([idp.id])).get(idp.id));
  }

  private forget(id: string): void {
    this.published.forget(id);
    this.publishedSaml.forget(id);
  }
}
