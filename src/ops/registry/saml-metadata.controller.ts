import { Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Allow, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ApiRoute } from '#platform/http';
import { IdentityProviders, PublishedSaml, RefreshSamlMetadata, SamlMetadata, ServiceProviders } from '#registry';
import type { MetadataOwner, ServiceProvider } from '#registry';
import { mayReachIdp, mayReachSp } from './permissions.js';
import { identityProviderView, serviceProviderView, viewOfIdentityProvider, viewOfServiceProvider } from './views.js';

const TAG = 'SAML metadata';
const MEDIA_TYPE = 'application/samlmetadata+xml';
const xmlView = z.string().describe('The EntityDescriptor as it was read; without an aggregate around it');

const READ = {
  summary: 'Read SAML metadata',
  description: 'The document that is in use. Where it had to be signed, exactly what was signed.',
  tag: TAG,
  responses: { 200: { description: 'EntityDescriptor', schema: xmlView, contentType: MEDIA_TYPE } },
  errors: ['not_found'] as const,
};
const REFRESH = {
  summary: 'Fetch SAML metadata now',
  description: 'Where it is registered by its URL. A document that is not taken is an error, and the old one stays in use.',
  tag: TAG,
  errors: ['not_found', 'conflict', 'validation', 'refused_address', 'bad_upstream'] as const,
};

/** The metadata of parties: as it is kept, and fetched again when it must not wait. */
@Controller('v1')
export class SamlMetadataController {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly serviceProviders: ServiceProviders,
    private readonly metadata: SamlMetadata,
    private readonly refresh: RefreshSamlMetadata,
    private readonly published: PublishedSaml,
  ) {}

  @Get('identity-providers/:id/saml/metadata')
  @Allow('admin', 'idp')
  @ApiRoute(READ)
  async ofIdp(@CurrentCaller() caller: Caller, @Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    mayReachIdp(caller, id);
    await this.identityProviders.get(id);
    await this.send({ idpId: id, spId: null }, reply);
  }

  @Post('identity-providers/:id/saml/refresh')
  @Allow('admin', 'idp')
  @HttpCode(200)
  @ApiRoute({ ...REFRESH, responses: { 200: { description: 'The identity provider', schema: identityProviderView } } })
  async refreshIdp(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    mayReachIdp(caller, id);
    await this.identityProviders.get(id);
    const owner = { idpId: id, spId: null };
    await this.metadata.standing(owner);
    await this.refresh.refreshNow(owner);
    this.published.forget(id);
    return viewOfIdentityProvider(await this.identityProviders.get(id), await this.metadata.standing(owner));
  }

  @Get('service-providers/:id/saml/metadata')
  @Allow('admin', 'idp', 'sp')
  @ApiRoute(READ)
  async ofSp(@CurrentCaller() caller: Caller, @Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    await this.send(ownerOf(await this.reach(caller, id)), reply);
  }

  @Post('service-providers/:id/saml/refresh')
  @Allow('admin', 'idp', 'sp')
  @HttpCode(200)
  @ApiRoute({ ...REFRESH, responses: { 200: { description: 'The service provider', schema: serviceProviderView } } })
  async refreshSp(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const owner = ownerOf(await this.reach(caller, id));
    await this.metadata.standing(owner);
    await this.refresh.refreshNow(owner);
    return viewOfServiceProvider(await this.serviceProviders.get(id), await this.metadata.standing(owner));
  }

  private async send(owner: MetadataOwner, reply: FastifyReply): Promise<void> {
    const xml = await this.metadata.xml(owner);
    // A peer wrote it: it is to be saved, never to be shown as a page of ours.
    void reply.headers({ 'content-type': MEDIA_TYPE, 'content-disposition': 'attachment; filename="metadata.xml"' }).send(xml);
  }

  private async reach(caller: Caller, id: string): Promise<ServiceProvider> {
    // An SP's key learns nothing of other ids, not even which there are.
    if (caller.kind === 'sp') mayReachSp(caller, { id, idp: '' });
    const sp = await this.serviceProviders.get(id);
    mayReachSp(caller, sp);
    return sp;
  }
}

function ownerOf(sp: ServiceProvider): MetadataOwner {
  return { idpId: sp.idp, spId: sp.id };
}
