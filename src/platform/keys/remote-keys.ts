import { createLocalJWKSet, createRemoteJWKSet, customFetch as joseFetch, errors } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWSHeaderParameters, RemoteJWKSet } from 'jose';
import { allowInsecureRequests, customFetch, discovery, None } from 'openid-client';
import type { CustomFetch } from 'openid-client';
import { ExeuntError, messageOf } from '#domain';

type Fetch = typeof globalThis.fetch;

/** Where keys are: a JWKS, or an issuer whose discovery document says where. */
export type KeySource = { jwksUri: string } | { issuer: string };

export interface RemoteKeysSettings {
  /** The guarded way out: `egress.fetch`. */
  fetch: Fetch;
  /** Keys that old are fetched again. Seconds. */
  cacheSeconds: number;
  /** An unknown `kid` fetches at most so often. Seconds. */
  cooldownSeconds: number;
}

/** After a failed fetch nothing is asked for so long, however many tokens come. Milliseconds. */
const QUIET_MS = 5_000;
/** Keys that could not be fetched again are used that long after their last fetch. Milliseconds. */
const STALE_MS = 24 * 60 * 60 * 1000;
const FETCH_MS = 5_000;

/**
 * The public keys of a peer: fetched through the guarded way out, cached, fetched again on an unknown `kid` (rate limited), used
 * stale for a day when the peer does not answer.
 */
export class RemoteKeys {
  private remote?: RemoteJWKSet;
  private opening?: Promise<RemoteJWKSet>;
  private fetchedAt = 0;
  private failedAt = Number.NEGATIVE_INFINITY;
  private failure: unknown;

  constructor(
    private readonly source: KeySource,
    private readonly settings: RemoteKeysSettings,
    private readonly now: () => number = Date.now,
  ) {}

  /** The key that a token was signed with: give this to jose's `jwtVerify`. @throws JOSEError no key fits; ExeuntError `bad_upstream` */
  readonly keyFor = async (header?: JWSHeaderParameters, token?: FlattenedJWSInput): Promise<CryptoKey> => {
    const remote = await this.open();
    try {
      return await remote(header, token);
    } catch (error) {
      if (saysNoKey(error)) throw error;
      return createLocalJWKSet(this.stale(remote, error))(header, token);
    }
  };

  /** All keys, for publishing on and for choosing one. @throws ExeuntError `bad_upstream` when there are none, not even stale ones */
  async jwks(): Promise<JSONWebKeySet> {
    const remote = await this.open();
    try {
      if (!remote.fresh) await remote.reload();
    } catch (error) {
      return this.stale(remote, error);
    }
    return remote.jwks() ?? this.stale(remote, this.failure);
  }

  /** Fetches anew, unless that was done within the cooldown. @returns whether it was */
  async refresh(): Promise<boolean> {
    const remote = await this.open();
    if (remote.coolingDown) return false;
    try {
      await remote.reload();
      return true;
    } catch {
      return false;
    }
  }

  private stale(remote: RemoteJWKSet, error: unknown): JSONWebKeySet {
    const known = remote.jwks();
    if (known && this.now() - this.fetchedAt < STALE_MS) return known;
    throw this.unreachable(error);
  }

  private async open(): Promise<RemoteJWKSet> {
    if (this.remote) return this.remote;
    this.opening ??= this.locate().finally(() => delete this.opening);
    try {
      return (this.remote = await this.opening);
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private async locate(): Promise<RemoteJWKSet> {
    const url = 'jwksUri' in this.source ? this.source.jwksUri : await discoverJwksUri(this.source.issuer, this.quietFetch);
    return createRemoteJWKSet(new URL(url), {
      cacheMaxAge: this.settings.cacheSeconds * 1000,
      cooldownDuration: this.settings.cooldownSeconds * 1000,
      timeoutDuration: FETCH_MS,
      [joseFetch]: this.quietFetch,
    });
  }

  private readonly quietFetch: Fetch = async (input, init) => {
    if (this.now() - this.failedAt < QUIET_MS) throw this.failure;
    try {
      const response = await this.settings.fetch(input, init);
      if (response.status !== 200) throw new TypeError(`it answered ${response.status}`);
      this.fetchedAt = this.now();
      return response;
    } catch (error) {
      this.failedAt = this.now();
      this.failure = error;
      throw error;
    }
  };

  private unreachable(cause: unknown): ExeuntError {
    const where = 'jwksUri' in this.source ? this.source.jwksUri : `the issuer ${this.source.issuer}`;
    return new ExeuntError('bad_upstream', `The keys at ${where} cannot be had: ${reasonOf(cause)}`, [], { cause });
  }
}

/** The keys were had, but none of them, or more than one, fits. */
function saysNoKey(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${messageOf(error)}${cause}`.slice(0, 300);
}

/** `jwks_uri` of an issuer, whose document must name that very issuer. @see OpenID Connect Discovery 1.0 section 4.3 */
async function discoverJwksUri(issuer: string, fetch: Fetch): Promise<string> {
  const url = new URL(issuer);
  // Whether plain http may be spoken is the egress guard's decision, not the library's.
  const execute = url.protocol === 'http:' ? [allowInsecureRequests] : [];
  // The browser's types, which the XML parser brings into the program, know less of a body than Node's.
  const found = await discovery(url, 'exeunt', undefined, None(), {
    execute,
    [customFetch]: fetch as CustomFetch,
    timeout: FETCH_MS / 1000,
  });
  const { jwks_uri: jwksUri, issuer: named } = found.serverMetadata();
  if (named !== issuer) throw new Error(`its discovery document names the issuer ${named}`);
  if (jwksUri === undefined) throw new Error('its discovery document has no jwks_uri');
  return jwksUri;
}
