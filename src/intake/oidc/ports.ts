import type { CryptoKey, JWTVerifyGetKey } from 'jose';
import type { IdentityProvider } from '#registry';

/** Which identity provider a path names. */
export interface IdpOfPath {
  find(id: string): Promise<IdentityProvider | null>;
}

/** The identity providers' own public keys. @see BCL-34 */
export interface UpstreamKeyResolver {
  resolverFor(idp: IdentityProvider): JWTVerifyGetKey;
}

/** Our private keys to which an identity provider encrypts. @see BCL-33 */
export interface DecryptionKeys {
  /** null when there is none that fits. */
  decryptionKey(idpId: string, header: { kid?: string; alg?: string }): Promise<CryptoKey | null>;
}

/** Takes a `jti` and ends what the token names, in one transaction. @see BCL-42, BCL-45 */
export interface LogoutTokenEnding {
  end(input: { idpId: string; sid?: string; sub?: string; jti: string; forgetAt: Date }): Promise<'ended' | 'nothing-to-end' | 'replayed'>;
}
