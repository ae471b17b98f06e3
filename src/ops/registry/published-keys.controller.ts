import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public } from '#access';
import { CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { ApiRoute } from '#platform/http';
import { PublishedKeys } from '#registry';
import type { PublishedJwks } from '#registry';
import { sendPublished } from './send-published.js';

const TAG = 'Published keys';
const jwksView = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).meta({ id: 'Jwks' });

/** What service providers and identity providers read: public keys, without credentials. */
@Controller('idps/:id')
@Public()
export class PublishedKeysController {
  constructor(
    private readonly published: PublishedKeys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('jwks.json')
  @ApiRoute({
    summary: "The identity provider's keys and its logout keys",
    description: 'Service providers use this as jwks_uri of the identity provider.',
    tag: TAG,
    responses: { 200: { description: 'JSON Web Key Set', schema: jwksView } },
    errors: ['not_found', 'bad_upstream'],
  })
  async jwks(@Param('id') id: string, @Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply) {
    return this.send(await this.published.publishedJwks(id), known, reply);
  }

  @Get('rp-jwks.json')
  @ApiRoute({
    summary: 'Our keys as a client of the identity provider',
    description: 'The identity provider encrypts its logout tokens to these (oidc.encryption).',
    tag: TAG,
    responses: { 200: { description: 'JSON Web Key Set', schema: jwksView } },
    errors: ['not_found'],
  })
  async relyingPartyJwks(@Param('id') id: string, @Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply) {
    return this.send(await this.published.relyingPartyJwks(id), known, reply);
  }

  private send({ json, etag }: PublishedJwks, known: string | undefined, reply: FastifyReply): void {
    const maxAgeSeconds = this.config.keys.jwksMaxAgeSeconds;
    sendPublished({ text: json, etag, contentType: 'application/json; charset=utf-8', maxAgeSeconds }, known, reply);
  }
}
