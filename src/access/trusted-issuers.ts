import { Inject, Injectable } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { ExeuntError, isExeuntError, messageOf } from '#domain';
import { CONFIG } from '#platform';
import type { Config, TrustedIssuer } from '#platform/config';
import { Egress } from '#platform/egress';
import { RemoteKeys } from '#platform/keys';
import { isRegistryId } from '#registry';
import type { Caller } from './caller.js';

const CLOCK_TOLERANCE_SECONDS = 30;
/** Tokens made for something else (`logout+jwt`, `secevent+jwt`, ...) are not access tokens. */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

interface Known {
  settings: TrustedIssuer;
  keys: RemoteKeys;
}

/** Bearer JWTs of the issuers in the configuration. Keys by discovery, cached; an unknown `kid` refetches at most once a cooldown. */
@Injectable()
export class TrustedIssuers {
  private readonly issuers: Map<string, Known>;

  constructor(@Inject(CONFIG) config: Config, egress: Egress) {
    const keySettings = {
      fetch: egress.fetch,
      cacheSeconds: config.keys.upstreamJwksCacheSeconds,
      cooldownSeconds: config.keys.upstreamJwksCooldownSeconds,
    };
    this.issuers = new Map(
      config.auth.trustedIssuers.map((settings) => [
        settings.issuer,
        { settings, keys: new RemoteKeys({ issuer: settings.issuer }, keySettings) },
      ]),
    );
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
    try {
      const { payload, protectedHeader } = await jwtVerify(token, known.keys.keyFor, {
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
      if (isExeuntError(error) && error.code !== 'bad_upstream') throw error;
      if (!(error instanceof errors.JOSEError)) throw unavailable(known, error);
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
}

function callerOf(payload: JWTPayload, settings: TrustedIssuer): Caller {
  const scopes = scopesOf(payload[settings.scopeClaim]);
  const id = `${payload.iss}#${payload.sub}`;
  if (scopes.includes(settings.adminScope)) return { kind: 'admin', id };
  const idpId = payload[settings.idpClaim];
  if (scopes.includes(settings.idpScope) && typeof idpId === 'string' && isRegistryId(idpId)) return { kind: 'idp', idpId, id };
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
