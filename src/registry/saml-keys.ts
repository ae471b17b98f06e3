import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { ExeuntError } from '#domain';
import type { Clock } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import type { Sql } from '#platform/database';
import { MasterKey } from '#platform/keys';
import type { SamlSigner } from '#protocol/saml';
import { importSamlKey } from './certificates/import-material.js';
import type { SamlKeyImport } from './certificates/import-material.js';
import { generateSamlKey, SAML_KEY_USES, signatureAlgorithmOf } from './certificates/key-material.js';
import type { SamlKeyMaterial, SamlKeyUse } from './certificates/key-material.js';
import { ALL, infoOf, INSERT, SIGNER } from './saml-key-rows.js';
import type { PreparedSamlKey, SamlKeyInfo, SamlKeyRow } from './saml-key-rows.js';
import { mayPass, ShortCache } from './short-cache.js';
import { UNIQUE_VIOLATION, sqlStateOf } from './sql-of.js';

/** As whom and with what we sign SAML messages. */
export interface SamlSigning {
  /** The identity provider's own: Issuer of what we send to its service providers. */
  entityId: string;
  /** Ours as a service provider of it: Issuer of what we send to it. */
  participantEntityId: string;
  signer: SamlSigner;
}

/** Certificates as they are published. PEM. */
export interface SamlCertificates {
  signing: string[];
  encryption: string[];
}

interface SignerRow {
  entity_id: string | null;
  participant_entity_id: string | null;
  fingerprint: string | null;
  certificate: string | null;
  private_sealed: Buffer | null;
}

/** Rotations of other processes are seen within so long. Milliseconds. */
const FRESH_MS = 3_000;
const MOST_OPENED = 5_000;

/**
 * The certificates with which we sign SAML messages for an identity provider, and those that peers encrypt NameIDs to. Private keys lie
 * sealed in the database, are opened in memory only, and have no way out: no method returns one in a form that can be written down.
 */
@Injectable()
export class SamlKeys implements OnModuleInit {
  private readonly signers: ShortCache<SamlSigning>;
  private readonly decrypters: ShortCache<KeyObject[]>;
  /** Opening a key costs more than signing with it, and callers may remember things by the key object. */
  private readonly opened = new Map<string, { sealed: Buffer; key: KeyObject }>();

  constructor(
    private readonly database: Database,
    private readonly masterKey: MasterKey,
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
    const [row] = await this.database.query<{ idp_id: string; fingerprint: string; private_sealed: Buffer }>(
      'SELECT idp_id, fingerprint, private_sealed FROM saml_keys ORDER BY created_at DESC LIMIT 1',
    );
    if (!row) return;
    try {
      this.masterKey.open(row.private_sealed, contextOf(row.idp_id, row.fingerprint)).fill(0);
    } catch (cause) {
      throw new ExeuntError(
        'configuration',
        `EXEUNT_MASTER_KEY is not the one with which the SAML keys in this database were sealed (tried ${row.fingerprint} of ${row.idp_id}). Start with that one; without it the keys are lost and must be made anew`,
        [],
        { cause },
      );
    }
  }

  /** The keys that an identity provider with a SAML side needs and has not got: one that signs, one for decryption. Not stored yet. */
  async prepareSaml(idpId: string): Promise<PreparedSamlKey[]> {
    const known = new Set((await this.rowsOf(idpId)).map((row) => row.use));
    const missing = SAML_KEY_USES.filter((use) => !known.has(use));
    return Promise.all(missing.map((use) => this.generate(idpId, use)));
  }

  /** Writes prepared keys in somebody's transaction. */
  async store(keys: readonly PreparedSamlKey[], sql: Sql = this.database): Promise<void> {
    for (const key of keys) {
      await insert(key, sql);
      this.forget(key.idpId);
    }
  }

  /** The keys that are in use or will be, without their private halves. */
  async list(idpId: string): Promise<SamlKeyInfo[]> {
    return (await this.rowsOf(idpId)).map(infoOf);
  }

  /**
   * Takes the operator's own certificate and key, usually those with which the identity provider signs, so that service providers know
   * them already. It signs from now on, or when the overlap has passed; the other keys stay published.
   * @throws ExeuntError `validation` for what cannot be used, `conflict` for a certificate that is there already
   */
  async import(idpId: string, given: SamlKeyImport & { overlapSeconds?: number | undefined }): Promise<SamlKeyInfo> {
    const now = this.clock.now();
    const material = importSamlKey(given, now);
    const key = this.seal(idpId, material, 'imported', now, new Date(now.getTime() + (given.overlapSeconds ?? 0) * 1000));
    try {
      await this.store([key]);
    } catch (error) {
      if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
      const rule = 'must not be there already; a certificate has one use';
      throw new ExeuntError(
        'conflict',
        `The identity provider ${idpId} has the certificate ${key.fingerprint} already`,
        [{ field: given.pkcs12 === undefined ? '/pem' : '/pkcs12', seen: key.fingerprint, rule }],
        { cause: error },
      );
    }
    return shown(key);
  }

  /**
   * A new generated key of that use (default: signing). It is published now and signs when the overlap has passed, so that service
   * providers have read it by then; the old ones stay published for another overlap. With an overlap of 0 (a key that got into wrong
   * hands) the new one signs at once and the old ones are gone. A key for decryption works at once, and the old ones until they retire.
   */
  async rotate(idpId: string, options: { use?: SamlKeyUse | undefined; overlapSeconds?: number | undefined }): Promise<SamlKeyInfo> {
    const use = options.use ?? 'signing';
    const now = this.clock.now();
    const overlapMs = (options.overlapSeconds ?? this.config.keys.rotationOverlapSeconds) * 1000;
    const fresh = await this.generate(idpId, use, new Date(now.getTime() + overlapMs));
    const retiresAt = new Date(now.getTime() + 2 * overlapMs);
    await this.database.transaction(async (sql) => {
      await sql.query('DELETE FROM saml_keys WHERE idp_id = $1 AND retires_at <= $2', [idpId, now]);
      await sql.query('UPDATE saml_keys SET retires_at = LEAST(retires_at, $3) WHERE idp_id = $1 AND use = $2', [idpId, use, retiresAt]);
      if (overlapMs === 0) await sql.query('DELETE FROM saml_keys WHERE idp_id = $1 AND use = $2', [idpId, use]);
      await this.store([fresh], sql);
    });
    this.forget(idpId);
    return shown(fresh);
  }

  /**
   * As whom and with what to sign now. From memory, at most a few seconds old; the same key object as long as it is the same key.
   * @throws ExeuntError `not_found` for an unknown identity provider, `configuration` when it has no SAML side
   */
  async signerFor(idpId: string): Promise<SamlSigning> {
    return this.signers.get(idpId, async () => {
      let row = await this.signerRow(idpId);
      if (row.fingerprint === null) {
        await this.generateMissing(idpId);
        row = await this.signerRow(idpId);
      }
      const { entity_id: entityId, participant_entity_id: participantEntityId, fingerprint, certificate, private_sealed: sealed } = row;
      if (entityId === null || participantEntityId === null || fingerprint === null || certificate === null || sealed === null) {
        throw new ExeuntError('configuration', `The identity provider ${idpId} has no SAML key that signs now`);
      }
      const privateKey = this.open(idpId, fingerprint, sealed);
      return { entityId, participantEntityId, signer: { privateKey, certificate, algorithm: signatureAlgorithmOf(privateKey) } };
    });
  }

  /** What is encrypted to us may be for any of these; the newest first, those that retire until they do. From memory. @see SLO-11 */
  async decryptionKeys(idpId: string): Promise<KeyObject[]> {
    return this.decrypters.get(idpId, async () => {
      const rows = (await this.rowsOf(idpId)).filter((row) => row.use === 'encryption');
      return rows.map((row) => this.open(idpId, row.fingerprint, row.private_sealed));
    });
  }

  /**
   * Certificates that are published now: all that sign, will sign or may have signed, those in use first; and of those for encryption the
   * ones that do not retire, for we can decrypt with a new key at once.
   */
  async certificates(idpId: string): Promise<SamlCertificates> {
    const now = this.clock.now();
    let rows = await this.rowsOf(idpId);
    if (SAML_KEY_USES.some((use) => !rows.some((row) => row.use === use))) {
      await this.generateMissing(idpId);
      rows = await this.rowsOf(idpId);
    }
    const signing = rows.filter((row) => row.use === 'signing');
    const inUse = signing.filter((row) => row.signs_from <= now);
    const later = signing.filter((row) => row.signs_from > now);
    const encryption = rows.filter((row) => row.use === 'encryption' && row.retires_at === null);
    return { signing: [...inUse, ...later].map((row) => row.certificate), encryption: encryption.map((row) => row.certificate) };
  }

  /** This process reads the keys of this identity provider anew. */
  forget(idpId: string): void {
    this.signers.forget((key) => key === idpId);
    this.decrypters.forget((key) => key === idpId);
  }

  /**
   * One that got its SAML side without keys gets them when they are wanted first. Processes that come at once wait for one another at its
   * row, and those that come late throw theirs away: there are never two keys that sign.
   */
  private async generateMissing(idpId: string): Promise<void> {
    const prepared = await this.prepareSaml(idpId);
    await this.database.transaction(async (sql) => {
      await sql.query('SELECT 1 FROM identity_providers WHERE id = $1 FOR NO KEY UPDATE', [idpId]);
      const rows = await sql.query<SamlKeyRow>(ALL, [idpId, this.clock.now()]);
      for (const key of prepared) if (!rows.some((row) => row.use === key.use)) await insert(key, sql);
    });
    // That there is no signer is never remembered; that there is nothing to decrypt with, is.
    this.decrypters.forget((key) => key === idpId);
  }

  private async signerRow(idpId: string): Promise<SignerRow> {
    const [row] = await this.database.query<SignerRow>(SIGNER, [idpId, this.clock.now()]);
    if (!row) throw new ExeuntError('not_found', `There is no identity provider ${idpId}`);
    if (row.entity_id === null) throw new ExeuntError('configuration', `The identity provider ${idpId} has no SAML side to sign as`);
    return row;
  }

  private rowsOf(idpId: string): Promise<SamlKeyRow[]> {
    return this.database.query<SamlKeyRow>(ALL, [idpId, this.clock.now()]);
  }

  private async generate(idpId: string, use: SamlKeyUse, signsFrom?: Date): Promise<PreparedSamlKey> {
    const now = this.clock.now();
    return this.seal(idpId, await generateSamlKey(idpId, use, now), 'generated', now, signsFrom ?? now);
  }

  private seal(idpId: string, material: SamlKeyMaterial, origin: 'generated' | 'imported', now: Date, signsFrom: Date): PreparedSamlKey {
    const { fingerprint, use, certificate, subject, notBefore, notAfter, privateKey } = material;
    const plain = privateKey.export({ type: 'pkcs8', format: 'der' });
    const privateSealed = this.masterKey.seal(plain, contextOf(idpId, fingerprint));
    plain.fill(0);
    const times = { notBefore, notAfter, createdAt: now, signsFrom, retiresAt: null };
    return { idpId, fingerprint, use, certificate, subject, origin, privateSealed, ...times };
  }

  private open(idpId: string, fingerprint: string, sealed: Buffer): KeyObject {
    const name = contextOf(idpId, fingerprint);
    const known = this.opened.get(name);
    if (known?.sealed.equals(sealed)) return known.key;
    const plain = this.masterKey.open(sealed, name);
    const key = createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' });
    plain.fill(0);
    if (this.opened.size > MOST_OPENED) this.opened.clear();
    this.opened.set(name, { sealed, key });
    return key;
  }
}

async function insert(key: PreparedSamlKey, sql: Sql): Promise<void> {
  const { idpId, fingerprint, use, certificate, privateSealed, origin, createdAt, signsFrom, retiresAt } = key;
  await sql.query(INSERT, [idpId, fingerprint, use, certificate, privateSealed, origin, createdAt, signsFrom, retiresAt]);
}

function contextOf(idpId: string, fingerprint: string): string {
  return `SAML key ${fingerprint} of ${idpId}`;
}

function shown({ privateSealed: _, idpId: __, ...info }: PreparedSamlKey): SamlKeyInfo {
  return info;
}
