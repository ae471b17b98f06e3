import type { CryptoKey, JWK } from 'jose';
import type { EgressRequest, EgressResult } from '#platform/egress';
import type { SigningAlg, TokenEncryption } from '#registry';

/** The issuer as which a token is signed, and its current key for one algorithm. @see BCL-23 */
export interface Signer {
  issuer: string;
  kid: string;
  alg: SigningAlg;
  privateKey: CryptoKey;
}

/** Who signs for an IdP. Asked for each attempt: it answers from memory, with the same key object as long as the key is the same. */
export interface LogoutSigner {
  /** @throws when there is no such key: that is a fault of ours, not of the SP. */
  signerFor(idpId: string, alg: SigningAlg): Promise<Signer>;
}

/** The public keys of SPs that want their tokens encrypted. @see BCL-24 */
export interface EncryptionKeys {
  /** @throws ExeuntError `bad_upstream` or `refused_address` when the SP's document is the trouble; anything else is a fault of ours. */
  keyFor(encryption: TokenEncryption): Promise<JWK>;
}

/** The way out. */
export interface BackchannelEgress {
  send(request: EgressRequest): Promise<EgressResult>;
}
