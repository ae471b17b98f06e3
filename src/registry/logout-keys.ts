import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { ExeuntError } from '#domain';
import type { Clock } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import type { Sql, Statement } from '#platform/database';
import { MasterKey } from '#platform/keys';
import { generateKey, importKey } from './key-material.js';
import type { KeyAlg, KeyImport, KeyMaterial } from './key-material.js';
import { mayPass, ShortCache } from './short-cache.js';
import { UNIQUE_VIOLATION, sqlStateOf } from './sql-of.js';
import { isSameKey } from './jwk-rules.js';
import type { IdentityProvider, OidcIdentity, SigningAlg } from './types.js';
import { UpstreamKeys } from './upstream-keys.js';

/** What a logout token is signed with. @see BCL-10, BCL-23 */
export interface Signer {
  /** `iss`, byte for byte. */
  issuer: string;
  kid: string;
  alg: SigningAlg;
  privateKey: CryptoKey;
}

/** A key as it may be shown. */
export interface LogoutKeyInfo {
  kid: string;
  use: 'sig' | 'enc';
  alg: KeyAlg;
  origin: 'generated' | 'imported';
  publicJwk: JWK;
  createdAt: Date;
  signsFrom: Date;
  retiresAt: Date | null;
}

/** A key that is sealed and waits for its transaction. */
export interface PreparedKey extends LogoutKeyInfo {
  idpId: string;
  privateSealed: Buffer;
}

interface Row {
  kid: string;
  use: 'sig' | 'enc';
  alg: KeyAlg;
  origin: 'generated' | 'imported';
  public_jwk: JWK;
  private_sealed: Buffer;
  created_at: Date;
  signs_from: Date;
  retires_at: Date | null;
}

/** Rotations of other processes are seen within so long. Milliseconds. */
const FRESH_MS = 3_000;
const GENERATED_FOR_ALL: readonly SigningAlg[] = ['ES256', 'RS256'];

const SIGNER: Statement = {
  name: 'logout_key_signer',
  text: `SELECT p.oidc->>'issuer' AS issuer, k.kid, k.private_sealed
    FROM identity_providers p
    LEFT JOIN LATERAL (
      SELECT kid, private_sealed FROM logout_keys
      WHERE idp_id = p.id AND use = 'sig' AND alg = $2 AND signs_from <= $3 AND (retires_at IS NULL OR retires_at > $3)
      ORDER BY signs_from DESC, created_at DESC, kid LIMIT 1
    ) k ON true
    WHERE p.id = $1`,
};
const ALL: Statement = {
  name: 'logout_keys_all',
  text: `SELECT kid, use, alg, origin, public_jwk, private_sealed, created_at, signs_from, retires_at
    FROM logout_keys WHERE idp_id = $1 AND (retires_at IS NULL OR retires_at > $2) ORDER BY use, alg, signs_from DESC, created_at DESC, kid`,
};
const INSERT: Statement = {
  name: 'logout_key_insert',
  text: `INSERT INTO logout_keys (kid, idp_id, use, alg, public_jwk, private_sealed, origin, created_at, signs_from, retires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
};

/**
 * The keys with which we sign logout tokens as an identity provider, and those with which it encrypts its own to us. Private keys lie
 * sealed in the database, are opened in memory only, and have no way out: no method returns one in a form that can be written down.
 */
@Injectable()
export class LogoutKeys implements OnModuleInit {
  private readonly signers: ShortCache<Signer>;
  private readonly decrypters: ShortCache<{ kid: string; alg: KeyAlg; privateKey: CryptoKey }[]>;
  /** Opening and importing a key costs more than signing with it. */
  private readonly opened = new Map<string, { sealed: Buffer; key: CryptoKey }>();

  constructor(
    private readonly database: Database,
    private readonly masterKey: MasterKey,
    private readonly upstreamKeys: UpstreamKeys,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const now = () => this.clock.now().getTime();
    // A database that is away for a moment must not stop deliveries that need nothing else of it.
    this.signers = new ShortCache(FRESH_MS, now, mayPass);
    this.decrypters = new ShortCache(FRESH_MS, now, mayPass);
  }

  async onModuleInit(): Promise<void> {
    await this.checkMasterKey();
  }

  /** The newest stored key is the canary: a master key that does not open it is the wrong one. @throws ExeuntError `configuration` */
  async checkMasterKey(): Promise<void> {
    const [row] = await this.database.query<{ idp_id: string; kid: string; private_sealed: Buffer }>(
      'SELECT idp_id, kid, private_sealed FROM logout_keys ORDER BY created_at DESC LIMIT 1',
    );
    if (!row) return;
    try {
      this.masterKey.open(row.private_sealed, contextOf(row.idp_id, row.kid)).fill(0);
    } catch (cause) {
      throw new ExeuntError(
        'configuration',
        `EXEUNT_MASTER_KEY is not the one with which the logout keys in this database were sealed (tried ${row.kid} of ${row.idp_id}). Start with that one; without it the keys are lost and must be made anew`,
        [],
        { cause },
      );
    }
  }

  /** The keys of a new identity provider: ES256 and RS256, and one for decryption where it encrypts; none without an OIDC side. */
  async prepare(idpId: string, oidc: OidcIdentity | null): Promise<PreparedKey[]> {
    if (oidc === null) return [];
    const algs: KeyAlg[] = [...GENERATED_FOR_ALL, ...(oidc.encryption ? [oidc.encryption.alg] : [])];
    return Promise.all(algs.map(async (alg) => this.seal(idpId, await generateKey(alg), 'generated', this.clock.now())));
  }

  /** The keys that a known identity provider needs and has not got. */
  async prepareMissing(idpId: string, oidc: OidcIdentity | null): Promise<PreparedKey[]> {
    if (oidc === null) return [];
    return this.prepareFor(idpId, [...GENERATED_FOR_ALL, ...(oidc.encryption ? [oidc.encryption.alg] : [])]);
  }

  /** Keys for those of the algorithms that the identity provider has no key for. */
  async prepareFor(idpId: string, algs: readonly KeyAlg[]): Promise<PreparedKey[]> {
    const known = new Set((await this.rowsOf(idpId)).map((row) => row.alg));
    const missing = algs.filter((alg) => !known.has(alg));
    return Promise.all(missing.map(async (alg) => this.seal(idpId, await generateKey(alg), 'generated', this.clock.now())));
  }

  /** Writes prepared keys in somebody's transaction. */
  async store(keys: readonly PreparedKey[], sql: Sql = this.database): Promise<void> {
    for (const key of keys) {
      const jwk = JSON.stringify(key.publicJwk);
      await sql.query(INSERT, [
        key.kid,
        key.idpId,
        key.use,
        key.alg,
        jwk,
        key.privateSealed,
        key.origin,
        key.createdAt,
        key.signsFrom,
        key.retiresAt,
      ]);
      this.forget(key.idpId);
    }
  }

  /** The keys that are published or will be, public halves only. */
  async list(idpId: string): Promise<LogoutKeyInfo[]> {
    return (await this.rowsOf(idpId)).map(infoOf);
  }

  /**
   * Takes the operator's own key, usually the one with which the identity provider signs, so that service providers know it already.
   * It signs from now on; the other keys stay published.
   * @throws ExeuntError `validation` for a key that cannot be used, `conflict` for a kid that is taken, here or by another key of the provider
   */
  async import(idp: IdentityProvider, given: KeyImport): Promise<LogoutKeyInfo> {
    const idpId = idp.id;
    const material = await importKey(given);
    await this.refuseForeignKid(idp, material);
    const key = this.seal(idpId, material, 'imported', this.clock.now());
    try {
      await this.store([key]);
    } catch (error) {
      if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
      throw new ExeuntError(
        'conflict',
        `The identity provider ${idpId} has a key ${key.kid} already`,
        [{ field: '/kid', seen: key.kid, rule: 'must not be taken' }],
        {
          cause: error,
        },
      );
    }
    return shown(key);
  }

  /**
   * New keys for the algorithms (default: every signing algorithm it has a key for). Each is published now and signs when the overlap has
   * passed, so that service providers have read it by then; the old ones stay published for another overlap. With an overlap of 0 (a key
   * that got into wrong hands) the new one signs at once and the old one is gone.
   */
  async rotate(idpId: string, options: { alg?: KeyAlg | undefined; overlapSeconds?: number | undefined }): Promise<LogoutKeyInfo[]> {
    const now = this.clock.now();
    const overlapMs = (options.overlapSeconds ?? this.config.keys.rotationOverlapSeconds) * 1000;
    const rows = await this.rowsOf(idpId);
    const algs = options.alg === undefined ? [...new Set(rows.filter((row) => row.use === 'sig').map((row) => row.alg))] : [options.alg];
    if (options.alg !== undefined && !rows.some((row) => row.alg === options.alg)) {
      throw new ExeuntError('not_found', `The identity provider ${idpId} has no ${options.alg} key to rotate`);
    }
    const signsFrom = new Date(now.getTime() + overlapMs);
    const retiresAt = new Date(now.getTime() + 2 * overlapMs);
    const fresh = await Promise.all(algs.map(async (alg) => this.seal(idpId, await generateKey(alg), 'generated', now, signsFrom)));
    await this.database.transaction(async (sql) => {
      await sql.query('DELETE FROM logout_keys WHERE idp_id = $1 AND retires_at <= $2', [idpId, now]);
      await sql.query('UPDATE logout_keys SET retires_at = LEAST(retires_at, $3) WHERE idp_id = $1 AND alg = ANY($2)', [
        idpId,
        algs,
        retiresAt,
      ]);
      if (overlapMs === 0) await sql.query('DELETE FROM logout_keys WHERE idp_id = $1 AND alg = ANY($2)', [idpId, algs]);
      await this.store(fresh, sql);
    });
    this.forget(idpId);
    return fresh.map(shown);
  }

  /**
   * What to sign with now. From memory, at most a few seconds old.
   * @throws ExeuntError `not_found` for an unknown identity provider, `configuration` when it has no key for the algorithm
   */
  async signerFor(idpId: string, alg: SigningAlg): Promise<Signer> {
    return this.signers.get(`${idpId} ${alg}`, async () => {
      const [row] = await this.database.query<{ issuer: string | null; kid: string | null; private_sealed: Buffer | null }>(SIGNER, [
        idpId,
        alg,
        this.clock.now(),
      ]);
      if (!row) throw new ExeuntError('not_found', `There is no identity provider ${idpId}`);
      if (row.issuer === null) throw new ExeuntError('configuration', `The identity provider ${idpId} has no OIDC issuer to sign as`);
      if (row.kid === null || row.private_sealed === null) {
        throw new ExeuntError('configuration', `The identity provider ${idpId} has no ${alg} key that signs now`);
      }
      return { issuer: row.issuer, kid: row.kid, alg, privateKey: await this.open(idpId, row.kid, alg, row.private_sealed) };
    });
  }

  /**
   * The key for a logout token that is encrypted to us: by its `kid`, or the newest of its algorithm; null when none fits.
   * @see BCL-33
   */
  async decryptionKey(idpId: string, header: { kid?: string | undefined; alg?: string | undefined }): Promise<CryptoKey | null> {
    const keys = await this.decrypters.get(idpId, async () => {
      const rows = (await this.rowsOf(idpId)).filter((row) => row.use === 'enc');
      return Promise.all(
        rows.map(async (row) => ({ kid: row.kid, alg: row.alg, privateKey: await this.open(idpId, row.kid, row.alg, row.private_sealed) })),
      );
    });
    const fitting = keys.filter(
      (key) => (header.kid === undefined || key.kid === header.kid) && (header.alg === undefined || key.alg === header.alg),
    );
    return fitting[0]?.privateKey ?? null;
  }

  /** Public keys that are published now. */
  async publicKeys(idpId: string, use: 'sig' | 'enc'): Promise<JWK[]> {
    return (await this.rowsOf(idpId)).filter((row) => row.use === use).map((row) => row.public_jwk);
  }

  /** This process reads the keys of this identity provider anew. */
  forget(idpId: string): void {
    this.signers.forget((key) => key.startsWith(`${idpId} `));
    this.decrypters.forget((key) => key === idpId);
  }

  /** Two keys of one kid in the merged set would break the verification of logins, too. Only a provider that answers can be asked. */
  private async refuseForeignKid(idp: IdentityProvider, key: KeyMaterial): Promise<void> {
    const own = await this.upstreamKeys.jwks(idp).catch(() => ({ keys: [] as JWK[] }));
    for (const jwk of own.keys) {
      if (jwk.kid !== key.kid || (await isSameKey(jwk, key.publicJwk))) continue;
      throw new ExeuntError('conflict', `The identity provider ${idp.id} itself has another key with the kid ${key.kid}`, [
        { field: '/kid', seen: key.kid, rule: 'must not be that of another key of the identity provider' },
      ]);
    }
  }

  private rowsOf(idpId: string): Promise<Row[]> {
    return this.database.query<Row>(ALL, [idpId, this.clock.now()]);
  }

  private seal(idpId: string, material: KeyMaterial, origin: 'generated' | 'imported', now: Date, signsFrom = now): PreparedKey {
    const plain = Buffer.from(JSON.stringify(material.privateJwk), 'utf8');
    const privateSealed = this.masterKey.seal(plain, contextOf(idpId, material.kid));
    plain.fill(0);
    const { kid, use, alg, publicJwk } = material;
    return { idpId, kid, use, alg, publicJwk, privateSealed, origin, createdAt: now, signsFrom, retiresAt: null };
  }

  private async open(idpId: string, kid: string, alg: KeyAlg, sealed: Buffer): Promise<CryptoKey> {
    const name = contextOf(idpId, kid);
    const known = this.opened.get(name);
    if (known?.sealed.equals(sealed)) return known.key;
    const plain = this.masterKey.open(sealed, name);
    const key = (await importJWK(JSON.parse(plain.toString('utf8')) as JWK, alg, { extractable: false })) as CryptoKey;
    plain.fill(0);
    if (this.opened.size > 5_000) this.opened.clear();
    this.opened.set(name, { sealed, key });
    return key;
  }
}

function contextOf(idpId: string, kid: string): string {
  return `logout key ${kid} of ${idpId}`;
}

function infoOf(row: Row): LogoutKeyInfo {
  return {
    kid: row.kid,
    use: row.use,
    alg: row.alg,
    origin: row.origin,
    publicJwk: row.public_jwk,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    retiresAt: row.retires_at,
  };
}

function shown({ privateSealed: _, idpId: __, ...info }: PreparedKey): LogoutKeyInfo {
  return info;
}
