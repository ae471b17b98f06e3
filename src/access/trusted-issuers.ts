import { Inject, Injectable } from '@nestjs/common';
import { createRemoteJWKSet, customFetch as joseFetch, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, RemoteJWKSet } from 'jose';
import { allowInsecureRequests, customFetch, discovery, None } from 'openid-client';
import { ExeuntError, messageOf } from '#domain';
import { CONFIG } from '#platform';
import type { Config, TrustedIssuer } from '#platform/config';
import { Egress } from '#platform/egress';
import type { Caller } from './caller.js';

const CLOCK_TOLERANCE_SECONDS = 30;
/** Tokens made for something else (`logout+jwt`, `secevent+jwt`, ...) are not access tokens. */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

interface Known {
  settings: TrustedIssuer;
  keys?: RemoteJWKSet;
  discovering?: Promise<RemoteJWKSet>;
  /** After a failed discovery the issuer is left alone until then. Milliseconds. */
  quietUntil: number;
}

/** Bearer JWTs of the issuers in the configuration. Keys by discovery, cached; an unknown `kid` refetches at most once a cooldown. */
@Injectable()
export class TrustedIssuers {
  private readonly issuers: Map<string, Known>;
  private readonly cacheMs: number;
  private readonly cooldownMs: number;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly egress: Egress,
  ) {
    this.issuers = new Map(config.auth.trustedIssuers.map((settings) => [settings.issuer, { settings, quietUntil: 0 }]));
    this.cacheMs = config.keys.upstreamJwksCacheSeconds * 1000;
    this.cooldownMs = config.keys.upstreamJwksCooldownSeconds * 1000;
  }

  /** Whether the text has the form of a JWT and there is an issuer to ask. */
  takes(token: string): boolean {
    if (this.issuers.size === 0) return false;
    try {
      decodeProtectedHeader(token);
      return token.split('.').length === 3;
    } catch {
      return false;
    }
  }

  /**
   * Judges a token.
   * @throws ExeuntError `unauthorized` for a token that does not hold, `forbidden` for one without a scope of ours,
   * `unavailable` when the issuer's keys cannot be had.
   */
  async verify(token: string): Promise<Caller> {
    const known = this.issuerOf(token);
    const keys = await this.keysOf(known);
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: known.settings.issuer,
        audience: known.settings.audience,
        algorithms: known.settings.algorithms,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      const type = protectedHeader.typ?.toLowerCase();
      if (type !== undefined && !TYPES.has(type)) throw refused(`its typ is ${type}, which is no access token`);
      return callerOf(payload, known.settings);
    } catch (error) {
      if (error instanceof ExeuntError) throw error;
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw unavailable(known, error);
      throw refused(messageOf(error));
    }
  }

  private issuerOf(token: string): Known {
    let issuer: unknown;
    try {
      issuer = decodeJwt(token).iss;
    } catch {
      throw refused('its payload is not a JSON object');
    }
    const known = typeof issuer === 'string' ? this.issuers.get(issuer) : undefined;
    if (!known) throw refused('its issuer is not one of the configured ones');
    return known;
  }

  private async keysOf(known: Known): Promise<RemoteJWKSet> {
    if (known.keys) return known.keys;
    if (!known.discovering) {
      if (Date.now() < known.quietUntil) throw unavailable(known, new Error('its discovery failed a moment ago'));
      known.discovering = this.discover(known.settings);
      known.discovering.then(
        (keys) => (known.keys = keys),
        () => {
          known.quietUntil = Date.now() + this.cooldownMs;
          delete known.discovering;
        },
      );
    }
    try {
      return await known.discovering;
    } catch (error) {
      throw unavailable(known, error);
    }
  }

  private async discover(settings: TrustedIssuer): Promise<RemoteJWKSet> {
    const issuer = new URL(settings.issuer);
    const fetch = this.egress.fetch.bind(this.egress);
    // Whether plain http may be used at all is the egress guard's decision, not the library's.
    const execute = issuer.protocol === 'http:' ? [allowInsecureRequests] : [];
    const found = await discovery(issuer, settings.audience, undefined, None(), { execute, [customFetch]: fetch as never });
    const { jwks_uri: jwksUri } = found.serverMetadata();
    if (jwksUri === undefined) throw new Error('its discovery document has no jwks_uri');
    return createRemoteJWKSet(new URL(jwksUri), {
      cacheMaxAge: this.cacheMs,
      cooldownDuration: this.cooldownMs,
      [joseFetch]: fetch as never,
    });
  }
}

function callerOf(payload: JWTPayload, settings: TrustedIssuer): Caller {
  const scopes = scopesOf(payload[settings.scopeClaim]);
  const id = `${payload.iss}#${payload.sub}`;
  if (scopes.includes(settings.adminScope)) return { kind: 'admin', id };
  const idpId = payload[settings.idpClaim];
  if (scopes.includes(settings.idpScope) && typeof idpId === 'string' && idpId !== '') return { kind: 'idp', idpId, id };
  throw new ExeuntError(
    'forbidden',
    `The token has neither the scope ${settings.adminScope}, nor ${settings.idpScope} with the claim ${settings.idpClaim}`,
  );
}

function scopesOf(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === 'string') : [];
}

function refused(why: string): ExeuntError {
  return new ExeuntError('unauthorized', `The bearer token is not accepted: ${why}`);
}

function unavailable(known: Known, cause: unknown): ExeuntError {
  return new ExeuntError('unavailable', `The keys of the issuer ${known.settings.issuer} cannot be had now`, [], { cause });
}
