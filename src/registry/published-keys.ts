import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { JWK } from 'jose';
import type { Logger } from 'pino';
import { ExeuntError } from '#domain';
import type { Clock } from '#domain';
import { CLOCK, LOGGER } from '#platform';
import { IdentityProviders } from './identity-providers.js';
import { isSameKey } from './jwk-rules.js';
import { LogoutKeys } from './logout-keys.js';
import { mayPass, ShortCache } from './short-cache.js';
import type { IdentityProvider } from './types.js';
import { UpstreamKeys } from './upstream-keys.js';

/** A JWKS as it is served. */
export interface PublishedJwks {
  json: string;
  etag: string;
}

const FRESH_MS = 2_000;
const MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg', 'key_ops', 'x5c', 'x5t', 'x5t#S256', 'x5u'];

/** What service providers read instead of the identity provider's `jwks_uri`: its own keys, and those with which we sign logouts. */
@Injectable()
export class PublishedKeys {
  private readonly documents: ShortCache<PublishedJwks>;

  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly logoutKeys: LogoutKeys,
    private readonly upstreamKeys: UpstreamKeys,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.documents = new ShortCache(FRESH_MS, () => clock.now().getTime(), mayPass);
  }

  /**
   * The identity provider's own keys and ours in one set. Without its own nothing is served, for service providers would take
   * the set as complete and refuse its logins; they go on with what they have when we answer an error.
   * @throws ExeuntError `not_found`, also for one that has no OIDC side; `bad_upstream`
   */
  publishedJwks(idpId: string): Promise<PublishedJwks> {
    return this.documents.get(`jwks ${idpId}`, async () => {
      const idp = await this.oidcProvider(idpId);
      const [own, ours] = await Promise.all([this.upstreamKeys.jwks(idp), this.logoutKeys.publicKeys(idpId, 'sig')]);
      return documentOf(await this.merge(idpId, own.keys, ours));
    });
  }

  /** The keys to which the identity provider encrypts its logout tokens to us; empty when it does not. @see BCL-33 */
  relyingPartyJwks(idpId: string): Promise<PublishedJwks> {
    return this.documents.get(`rp ${idpId}`, async () => {
      await this.oidcProvider(idpId);
      return documentOf(await this.logoutKeys.publicKeys(idpId, 'enc'));
    });
  }

  /** This process makes the documents of this identity provider anew. */
  forget(idpId: string): void {
    this.documents.forget((key) => key === `jwks ${idpId}` || key === `rp ${idpId}`);
  }

  private async oidcProvider(idpId: string): Promise<IdentityProvider> {
    const idp = await this.identityProviders.get(idpId);
    if (idp.oidc === null) throw new ExeuntError('not_found', `The identity provider ${idpId} has no OIDC side, and so no JWKS`);
    return idp;
  }

  private async merge(idpId: string, own: readonly JWK[], ours: readonly JWK[]): Promise<JWK[]> {
    const keys = own.map(publicPart).filter((jwk) => jwk.kty !== 'oct');
    for (const key of ours) {
      const twin = keys.find((jwk) => jwk.kid === key.kid);
      if (!twin) keys.push(publicPart(key));
      else if (!(await isSameKey(twin, key))) {
        // Two keys of one kid would break verification of logins, too; the provider's own one goes first.
        this.logger.error(
          { idp: idpId, kid: key.kid },
          'the identity provider has another key with the kid of a logout key of ours, which is not published',
        );
      }
    }
    return keys;
  }
}

/** Only what is known to be public: not even a mistake of the identity provider's may publish a private key here. */
function publicPart(jwk: JWK): JWK {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => MEMBERS.includes(name)));
}

function documentOf(keys: readonly JWK[]): PublishedJwks {
  const json = JSON.stringify({ keys });
  return { json, etag: `"${createHash('sha256').update(json).digest('base64url').slice(0, 27)}"` };
}
