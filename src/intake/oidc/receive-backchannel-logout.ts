import type { Clock } from '#domain';
import {
  type IncomingLogoutRequest,
  LogoutRequestRefused,
  type LogoutTokenExpectation,
  parseLogoutRequest,
  verifyLogoutToken,
} from '#protocol/oidc';
import type { IdentityProvider } from '#registry';
import type { DecryptionKeys, IdpOfPath, LogoutTokenEnding, UpstreamKeyResolver } from './ports.js';

/** What the endpoint answers, and what only the log may know. @see BCL-48, BCL-49, BCL-50 */
export type BackchannelLogoutAnswer =
  | { status: 200; ended: boolean }
  /** The request is refused. */
  | { status: 400; error: string; description: string; refusal: LogoutRequestRefused }
  /** The request may be good, and we could not do it: a fault of ours. */
  | { status: 400; error: string; description: string; fault: unknown };

/** How old a token may be, and how far clocks may differ. Seconds. @see BCL-37 */
export interface LogoutTokenTolerance {
  maxAgeSeconds: number;
  skewSeconds: number;
}

const TOLERANCE: LogoutTokenTolerance = { maxAgeSeconds: 300, skewSeconds: 60 };

/**
 * We are the RP: an identity provider says that a session, or every session of a user, is over. The answer comes after the ending is
 * durable; telling the SPs goes on behind it. A session that is not there is already over: a success.
 * @see BCL-32 to BCL-52
 */
export class ReceiveBackchannelLogout {
  constructor(
    private readonly idps: IdpOfPath,
    private readonly upstreamKeys: UpstreamKeyResolver,
    private readonly decryptionKeys: DecryptionKeys,
    private readonly ending: LogoutTokenEnding,
    private readonly clock: Clock,
    private readonly tolerance: LogoutTokenTolerance = TOLERANCE,
  ) {}

  /** @throws never: what goes wrong is in the answer. */
  async receive(idpId: string, request: IncomingLogoutRequest): Promise<BackchannelLogoutAnswer> {
    try {
      return await this.end(idpId, parseLogoutRequest(request));
    } catch (error) {
      if (error instanceof LogoutRequestRefused) return { status: 400, error: error.error, description: error.description, refusal: error };
      return { status: 400, error: 'server_error', description: 'the logout could not be done', fault: error };
    }
  }

  private async end(idpId: string, token: string): Promise<BackchannelLogoutAnswer> {
    const idp = await this.idps.find(idpId);
    const { sid, sub, jti, forgetAt } = await verifyLogoutToken(token, this.expectationOf(idp));
    const end = await this.ending.end({ idpId, sid, sub, jti, forgetAt });
    if (end === 'replayed') throw new LogoutRequestRefused('replayed', 'BCL-42', 'a token with this jti was already received');
    return { status: 200, ended: end === 'ended' };
  }

  private expectationOf(idp: IdentityProvider | null): LogoutTokenExpectation {
    const oidc = idp?.oidc;
    if (!idp || !oidc?.audience) {
      // One text for all three: a stranger need not learn who is registered.
      const detail = !idp ? 'there is no such identity provider' : !oidc ? 'it has no OIDC side' : 'it has no oidc.audience';
      throw new LogoutRequestRefused('not_registered', 'BCL-34', 'no issuer of logout tokens is registered at this path', detail);
    }
    const { encryption } = oidc;
    return {
      issuer: oidc.issuer,
      audience: oidc.audience,
      alg: oidc.signingAlg,
      // Asked for only when a token has come as far as its signature.
      keys: async (header, jws) => this.upstreamKeys.resolverFor(idp)(header, jws),
      decryption: encryption && { ...encryption, privateKey: (header) => this.privateKeyOf(idp.id, header) },
      allowMissingExp: oidc.allowMissingExp,
      now: this.clock.now(),
      ...this.tolerance,
    };
  }

  private async privateKeyOf(idpId: string, { kid, alg }: { kid?: string; alg?: string }) {
    const key = await this.decryptionKeys.decryptionKey(idpId, { kid, alg });
    if (!key) throw new TypeError(`no key of ours fits kid ${kid ?? 'missing'}`);
    return key;
  }
}
