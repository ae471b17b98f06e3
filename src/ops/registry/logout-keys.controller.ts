import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { Allow, CurrentCaller } from '#access';
import type { Caller } from '#access';
import { ExeuntError } from '#domain';
import { ApiRoute, ZodBody } from '#platform/http';
import { IdentityProviders, LogoutKeys, PublishedKeys } from '#registry';
import type { IdentityProvider } from '#registry';
import { mayReachIdp } from './permissions.js';
import { keyImportSchema, keyRotationSchema } from './requests.js';
import type { KeyImportBody, KeyRotationBody } from './requests.js';
import { logoutKeyView, viewOfLogoutKey } from './views.js';

const TAG = 'Logout keys';
const keyList = z.object({ items: z.array(logoutKeyView) });

@Controller('v1/identity-providers/:id/keys')
export class LogoutKeysController {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly logoutKeys: LogoutKeys,
    private readonly published: PublishedKeys,
  ) {}

  @Get()
  @Allow('admin', 'idp')
  @ApiRoute({
    summary: 'List logout keys',
    description: 'The public halves of the keys with which logout tokens are signed, or encrypted to us.',
    tag: TAG,
    responses: { 200: { description: 'The keys', schema: keyList } },
    errors: ['not_found'],
  })
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    mayReachIdp(caller, id);
    await this.identityProviders.get(id);
    return { items: (await this.logoutKeys.list(id)).map(viewOfLogoutKey) };
  }

  @Post()
  @Allow('admin')
  @ApiRoute({
    summary: 'Import a logout key',
    description:
      'Usually the key with which the identity provider itself signs, so that service providers know it already. It signs from now on; the private half is sealed and never shown again.',
    tag: TAG,
    body: keyImportSchema,
    responses: { 201: { description: 'Imported', schema: logoutKeyView } },
    errors: ['not_found', 'conflict', 'validation'],
  })
  async import(@Param('id') id: string, @Body(new ZodBody(keyImportSchema)) body: KeyImportBody) {
    const key = await this.logoutKeys.import(await this.needsOidc(id), body);
    this.published.forget(id);
    return viewOfLogoutKey(key);
  }

  @Post('rotate')
  @Allow('admin')
  @HttpCode(201)
  @ApiRoute({
    summary: 'Rotate logout keys',
    description: 'Each new key is published now and signs when the overlap has passed; the old one stays published for another overlap.',
    tag: TAG,
    body: keyRotationSchema,
    responses: { 201: { description: 'The new keys', schema: keyList } },
    errors: ['not_found', 'conflict', 'validation'],
  })
  async rotate(@Param('id') id: string, @Body(new ZodBody(keyRotationSchema)) body: KeyRotationBody) {
    await this.needsOidc(id);
    const keys = await this.logoutKeys.rotate(id, body);
    this.published.forget(id);
    return { items: keys.map(viewOfLogoutKey) };
  }

  private async needsOidc(id: string): Promise<IdentityProvider> {
    const idp = await this.identityProviders.get(id);
    if (idp.oidc === null)
      throw new ExeuntError('conflict', `The identity provider ${id} has no OIDC side; give it one first (oidc.issuer)`);
    return idp;
  }
}
