import { Controller, Get, Headers, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { ExeuntError } from '#domain';
import { CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { ApiRoute } from '#platform/http';
import { PublishedSaml } from '#registry';
import type { PublishedMetadata } from '#registry';
import { sendPublished } from './send-published.js';

const TAG = 'Published keys';
const MEDIA_TYPE = 'application/samlmetadata+xml';
const metadataView = z.string().describe('A SAML 2.0 EntityDescriptor');

/** SAML metadata for service providers and identity providers, without credentials. */
@Controller('idps/:id/saml')
@Public()
export class PublishedSamlController {
  constructor(
    private readonly published: PublishedSaml,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('metadata')
  @ApiRoute({
    summary: "The identity provider's metadata with our single logout",
    description:
      'Service providers read this instead of its own metadata: logins stay as they are, logouts come here. Its URLs begin with server.publicUrl.',
    tag: TAG,
    responses: { 200: { description: 'Signed EntityDescriptor', schema: metadataView, contentType: MEDIA_TYPE } },
    errors: ['not_found'],
  })
  async metadata(@Param('id') id: string, @Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply) {
    return this.send(await this.published.identityProviderMetadata(id), known, reply);
  }

  @Get('sp-metadata')
  @ApiRoute({
    summary: 'Our metadata as a service provider of the identity provider',
    description: 'The identity provider registers this, and then tells us of its logouts.',
    tag: TAG,
    responses: { 200: { description: 'Signed EntityDescriptor', schema: metadataView, contentType: MEDIA_TYPE } },
    errors: ['not_found'],
  })
  async participantMetadata(@Param('id') id: string, @Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply) {
    return this.send(await this.published.participantMetadata(id), known, reply);
  }

  @Post('acs')
  @ApiRoute({
    summary: 'Takes no logins',
    description: 'Stands in our metadata because the schema wants an AssertionConsumerService. What is posted here is not read.',
    tag: TAG,
    responses: {},
    errors: ['not_found'],
  })
  consumeNothing(): never {
    throw new ExeuntError('not_found', 'Exeunt takes no logins; this address stands in its metadata because the SAML schema wants one');
  }

  private send({ xml, etag }: PublishedMetadata, known: string | undefined, reply: FastifyReply): void {
    const maxAgeSeconds = this.config.keys.jwksMaxAgeSeconds;
    sendPublished({ text: xml, etag, contentType: MEDIA_TYPE, maxAgeSeconds }, known, reply);
  }
}
