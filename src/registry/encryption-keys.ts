import { Inject, Injectable } from '@nestjs/common';
import type { JWK } from 'jose';
import { ExeuntError } from '#domain';
import { CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Egress } from '#platform/egress';
import { RemoteKeys } from '#platform/keys';
import { fitsKeyManagement, publicJwkFault } from './jwk-rules.js';
import type { TokenEncryption } from './types.js';

const MOST_CLIENTS = 5_000;

/** The public keys of clients that want their logout tokens encrypted. @see BCL-24 */
@Injectable()
export class EncryptionKeys {
  private readonly remotes = new Map<string, RemoteKeys>();

  constructor(
    private readonly egress: Egress,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The key to encrypt to: the client's first that fits the algorithm, one marked `use: enc` before others.
   * @throws ExeuntError `bad_upstream` when its keys cannot be had, or none fits
   */
  async keyFor(encryption: TokenEncryption): Promise<JWK> {
    if (encryption.jwks) return pick(encryption.jwks.keys, encryption.alg) ?? none(encryption, 'its jwks');
    const uri = encryption.jwksUri!;
    const remote = this.remoteOf(uri);
    const found = pick((await remote.jwks()).keys, encryption.alg);
    if (found) return found;
    const again = (await remote.refresh()) ? pick((await remote.jwks()).keys, encryption.alg) : undefined;
    return again ?? none(encryption, uri);
  }

  private remoteOf(uri: string): RemoteKeys {
    let remote = this.remotes.get(uri);
    if (!remote) {
      remote = new RemoteKeys(
        { jwksUri: uri },
        {
          fetch: this.egress.fetch,
          cacheSeconds: this.config.keys.upstreamJwksCacheSeconds,
          cooldownSeconds: this.config.keys.upstreamJwksCooldownSeconds,
        },
      );
      if (this.remotes.size >= MOST_CLIENTS) this.remotes.delete(this.remotes.keys().next().value!);
      this.remotes.set(uri, remote);
    }
    return remote;
  }
}

function pick(keys: readonly JWK[], alg: string): JWK | undefined {
  const fitting = keys.filter(
    (jwk) => fitsKeyManagement(jwk as Record<string, unknown>, alg) && publicJwkFault(jwk as Record<string, unknown>) === null,
  );
  return fitting.find((jwk) => jwk.use === 'enc') ?? fitting[0];
}

function none(encryption: TokenEncryption, where: string): never {
  throw new ExeuntError('bad_upstream', `The client has no public key for ${encryption.alg} at ${where}`);
}
