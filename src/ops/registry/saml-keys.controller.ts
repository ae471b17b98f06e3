import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { Allow, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ExeuntError } from '#domain';
import { ApiRoute, ZodBody } from '#platform/http';
import { IdentityProviders, PublishedSaml, SamlKeys } from '#registry';
import { mayReachIdp } from './permissions.js';
import { samlKeyImportSchema, samlKeyRotationSchema } from './saml-key-requests.js';
import type { SamlKeyImportBody, SamlKeyRotationBody } from './saml-key-requests.js';
import { samlKeyView, viewOfSamlKey } from './saml-key-views.js';

const TAG = 'SAML keys';
const keyList = z.object({ items: z.array(samlKeyView) }).meta({ id: 'SamlKeyList' });

@Controller('v1/identity-providers/:id/saml-keys')
export class SamlKeysController {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly samlKeys: SamlKeys,
    private readonly published: PublishedSaml,
  ) {}

  @Get()
  @Allow('admin', 'idp')
  @ApiRoute({
    summary: 'List SAML keys',
    description:
      'The certificates with which SAML messages are signed for the identity provider, or to which NameIDs are encrypted for us.',
    tag: TAG,
    responses: { 200: { description: 'The keys', schema: keyList } },
    errors: ['not_found'],
  })
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    mayReachIdp(caller, id);
    await this.identityProviders.get(id);
    return { items: (await this.samlKeys.list(id)).map(viewOfSamlKey) };
  }

  @Post()
  @Allow('admin')
  @ApiRoute({
    summary: 'Import a SAML key',
    description:
      'Usually the certificate and key with which the identity provider itself signs, so that service providers know it already. The private half is sealed and never shown again.',
    tag: TAG,
    body: samlKeyImportSchema,
    responses: { 201: { description: 'Imported', schema: samlKeyView } },
    errors: ['not_found', 'conflict', 'validation'],
  })
  async import(@Param('id') id: string, @Body(new ZodBody(samlKeyImportSchema)) body: SamlKeyImportBody) {
    await this.needsSaml(id);
    const key = await this.samlKeys.import(id, body);
    this.published.forget(id);
    return viewOfSamlKey(key);
  }

  @Post('rotate')
  @Allow('admin')
  @HttpCode(201)
  @ApiRoute({
    summary: 'Rotate SAML keys',
    description:
      'The new certificate is published now and signs when the overlap has passed; the old one stays published for another overlap. One for encryption takes the place of the old one in the metadata at once, and what is encrypted to the old one is read until it retires.',
    tag: TAG,
    body: samlKeyRotationSchema,
    responses: { 201: { description: 'The new key', schema: samlKeyView } },
    errors: ['not_found', 'conflict', 'validation'],
  })
  async rotate(@Param('id') id: string, @Body(new ZodBody(samlKeyRotationSchema)) body: SamlKeyRotationBody) {
    await this.needsSaml(id);
    const key = await this.samlKeys.rotate(id, body);
    this.published.forget(id);
    return viewOfSamlKey(key);
  }

  private async needsSaml(id: string): Promise<void> {
    const { saml } = await this.identityProviders.get(id);
    if (saml === null)
      throw new ExeuntError(
        'conflict',
        `The identity provider ${id} has no SAML side; give it one first (saml.metadataXml or saml.metadataUrl)`,
      );
  }
}
