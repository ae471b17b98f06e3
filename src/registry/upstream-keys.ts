import { Inject, Injectable } from '@nestjs/common';
import { createLocalJWKSet } from 'jose';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import { ExeuntError } from '#domain';
import { CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Egress } from '#platform/egress';
import { RemoteKeys } from '#platform/keys';
import type { IdentityProvider, OidcIdentity } from './types.js';

const MOST_SOURCES = 2_000;

/** The identity providers' own keys: with which they sign, and which are published beside ours. @see BCL-34 */
@Injectable()
export class UpstreamKeys {
  private readonly remotes = new Map<string, RemoteKeys>();

  constructor(
    private readonly egress: Egress,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Finds the key of a token of this provider; give it to jose's `jwtVerify`. Never follows a URL out of the token. An unknown `kid`
   * fetches the keys anew, at most once a cooldown.
   * @throws ExeuntError `configuration` when it has no OIDC side; the resolver throws JOSEError (no key fits) or ExeuntError `bad_upstream`
   */
  resolverFor(idp: IdentityProvider): JWTVerifyGetKey {
    const oidc = oidcOf(idp);
    return oidc.jwks ? createLocalJWKSet(oidc.jwks) : this.remoteOf(oidc).keyFor;
  }

  /** All its public keys. @throws ExeuntError `bad_upstream` when they cannot be had and none are remembered */
  async jwks(idp: IdentityProvider): Promise<JSONWebKeySet> {
    const oidc = oidcOf(idp);
    return oidc.jwks ?? this.remoteOf(oidc).jwks();
  }

  private remoteOf(oidc: OidcIdentity): RemoteKeys {
    const name = oidc.jwksUri === undefined ? `issuer ${oidc.issuer}` : `jwks ${oidc.jwksUri}`;
    let remote = this.remotes.get(name);
    if (!remote) {
      const source = oidc.jwksUri === undefined ? { issuer: oidc.issuer } : { jwksUri: oidc.jwksUri };
      remote = new RemoteKeys(source, {
        fetch: this.egress.fetch,
        cacheSeconds: this.config.keys.upstreamJwksCacheSeconds,
        cooldownSeconds: this.config.keys.upstreamJwksCooldownSeconds,
      });
      if (this.remotes.size >= MOST_SOURCES) this.remotes.delete(this.remotes.keys().next().value!);
      this.remotes.set(name, remote);
    }
    return remote;
  }
}

function oidcOf(idp: IdentityProvider): OidcIdentity {
  if (!idp.oidc) throw new ExeuntError('configuration', `The identity provider ${idp.id} has no OIDC side`);
  return idp.oidc;
}
