import { type Clock, isExeuntError, newRandomId } from '#domain';
import type { EgressResult } from '#platform/egress';
import {
  buildLogoutRequestBody,
  buildLogoutTokenClaims,
  encryptLogoutToken,
  LOGOUT_REQUEST_CONTENT_TYPE,
  quotePeer,
  readBackchannelAnswer,
  signLogoutToken,
} from '#protocol/oidc';
import type { OidcBackchannelConfig, TokenEncryption } from '#registry';
import type { AttemptResult, Message, ServerChannel } from '../channel.js';
import { chooseSubject } from './choose-subject.js';
import type { BackchannelEgress, EncryptionKeys, LogoutSigner } from './ports.js';

const HEADERS = Object.freeze({ 'content-type': LOGOUT_REQUEST_CONTENT_TYPE });

/**
 * Tells an SP by OIDC back-channel logout. Each attempt sends a token of its own: new `jti`, `iat` and `exp`.
 * @see BCL-10 to BCL-30
 */
export class OidcBackchannelChannel implements ServerChannel<OidcBackchannelConfig> {
  readonly type = 'oidc-backchannel';

  constructor(
    private readonly signers: LogoutSigner,
    private readonly encryptionKeys: EncryptionKeys,
    private readonly egress: BackchannelEgress,
    private readonly clock: Clock,
  ) {}

  /** @throws when we cannot sign: no key, or a key that does not suit its algorithm. */
  async send(message: Message<OidcBackchannelConfig>): Promise<AttemptResult> {
    const { channel } = message;
    const subject = chooseSubject(channel, message);
    if ('unusable' in subject) return { result: 'unusable', error: subject.unusable };

    const signer = await this.signers.signerFor(message.idpId, channel.signingAlg);
    const jti = newRandomId();
    const now = this.clock.now();
    const claims = buildLogoutTokenClaims({ issuer: signer.issuer, clientId: channel.clientId, ...subject, now, jti });
    let token = await signLogoutToken(claims, signer);
    let { timeoutMs } = message;
    if (channel.encryption) {
      const nested = await this.encrypt(token, channel.encryption, signer.issuer);
      if ('result' in nested) return nested;
      token = nested.token;
      // The SP's key may have had to be fetched: that time is part of the attempt.
      timeoutMs = Math.max(1, timeoutMs - (this.clock.now().getTime() - now.getTime()));
    }
    const sent = await this.egress.send({
      method: 'POST',
      url: channel.uri,
      headers: HEADERS,
      body: buildLogoutRequestBody(token),
      timeoutMs,
    });
    return this.read(sent, jti);
  }

  private async encrypt(token: string, encryption: TokenEncryption, issuer: string): Promise<{ token: string } | AttemptResult> {
    let publicJwk;
    try {
      publicJwk = await this.encryptionKeys.keyFor(encryption);
    } catch (error) {
      if (!isExeuntError(error)) throw error;
      if (error.code === 'refused_address') return { result: 'refused', error: quotePeer(error.message, 500) };
      if (error.code === 'bad_upstream') return { result: 'failed', error: quotePeer(error.message, 500) };
      throw error;
    }
    try {
      return { token: await encryptLogoutToken(token, { alg: encryption.alg, enc: encryption.enc, publicJwk, issuer }) };
    } catch (error) {
      // The SP may publish a better key at any time, so this may pass.
      const reason = error instanceof Error ? error.message : String(error);
      return { result: 'failed', error: quotePeer(`the SP's encryption key does not suit ${encryption.alg}: ${reason}`, 500) };
    }
  }

  private read(sent: EgressResult, jti: string): AttemptResult {
    switch (sent.kind) {
      case 'response':
        return { ...readBackchannelAnswer(sent, this.clock.now()), jti };
      case 'refused-address':
        return { result: 'refused', error: sent.error };
      case 'failed':
        return { result: 'failed', jti, error: `${sent.code}: ${sent.error}`.slice(0, 500) };
    }
  }
}
