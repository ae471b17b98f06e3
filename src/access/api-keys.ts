import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ExeuntError } from '#domain';
import { Database } from '#platform/database';
import type { Sql, Statement } from '#platform/database';
import { hashOfSecret, newApiKeyText } from './api-key-text.js';
import type { Caller } from './caller.js';

/** Whose key it is. */
export type KeyOwner = { scope: 'admin' } | { scope: 'idp'; idpId: string } | { scope: 'sp'; spId: string };

/** A key as it may be shown: everything but the key. */
export interface ApiKeyInfo {
  id: string;
  createdAt: Date;
  /** From then on it is refused; may lie ahead. */
  revokedAt: Date | null;
}

/** A key at the one moment when it is known in the clear. */
export interface IssuedKey {
  id: string;
  plain: string;
}

interface KeyRow {
  id: string;
  hash: Buffer;
  scope: 'admin' | 'idp' | 'sp';
  idp_id: string | null;
  sp_id: string | null;
}

const FIND: Statement = {
  name: 'api_key_find',
  text: 'SELECT id, hash, scope, idp_id, sp_id FROM api_keys WHERE hash = $1 AND (revoked_at IS NULL OR revoked_at > now())',
};
const INSERT: Statement = {
  name: 'api_key_insert',
  text: 'INSERT INTO api_keys (id, hash, scope, idp_id, sp_id) VALUES ($1, $2, $3, $4, $5)',
};
const KEY_ID = /^[a-z0-9]{1,64}$/;
const OF_OWNER = 'scope = $1 AND idp_id IS NOT DISTINCT FROM $2 AND sp_id IS NOT DISTINCT FROM $3';

/** API keys: 256 random bits, of which only the SHA-256 is kept. Asked of the database each time, so a revocation holds at once, everywhere. */
@Injectable()
export class ApiKeys {
  constructor(readonly database: Database) {}

  /** A new key. In the transaction of `sql` when given. */
  async issue(owner: KeyOwner, sql: Sql = this.database): Promise<IssuedKey> {
    const { id, plain } = newApiKeyText();
    await sql.query(INSERT, [id, hashOfSecret(plain), ...ownerColumns(owner)]);
    return { id, plain };
  }

  /** Who presents this text; null when it is no key, or a revoked one. */
  async find(plain: string): Promise<Caller | null> {
    const hash = hashOfSecret(plain);
    const [row] = await this.database.query<KeyRow>(FIND, [hash]);
    // The index found an equal hash; compared once more so that nothing depends on how it did.
    if (!row || !timingSafeEqual(row.hash, hash)) return null;
    if (row.scope === 'idp') return { kind: 'idp', idpId: row.idp_id!, id: row.id };
    if (row.scope === 'sp') return { kind: 'sp', spId: row.sp_id!, id: row.id };
    return { kind: 'admin', id: row.id };
  }

  /** The keys of an owner, newest first. */
  async list(owner: KeyOwner): Promise<ApiKeyInfo[]> {
    const rows = await this.database.query<{ id: string; created_at: Date; revoked_at: Date | null }>(
      `SELECT id, created_at, revoked_at FROM api_keys WHERE ${OF_OWNER} ORDER BY created_at DESC, id`,
      ownerColumns(owner),
    );
    return rows.map((row) => ({ id: row.id, createdAt: row.created_at, revokedAt: row.revoked_at }));
  }

  /** From now on the key is refused. @throws ExeuntError `not_found` when the owner has no such key. */
  async revoke(owner: KeyOwner, id: string): Promise<void> {
    if (!KEY_ID.test(id)) throw new ExeuntError('not_found', 'There is no such API key');
    const rows = await this.database.query(
      `UPDATE api_keys SET revoked_at = LEAST(revoked_at, now()) WHERE ${OF_OWNER} AND id = $4 RETURNING id`,
      [...ownerColumns(owner), id],
    );
    if (rows.length === 0) throw new ExeuntError('not_found', `There is no API key ${id}`);
  }

  /** A new key; the owner's other keys are refused once `overlapSeconds` have passed (0: at once). */
  async rotate(owner: KeyOwner, overlapSeconds: number): Promise<IssuedKey> {
    return this.database.transaction(async (sql) => {
      await sql.query(`UPDATE api_keys SET revoked_at = LEAST(revoked_at, now() + make_interval(secs => $4)) WHERE ${OF_OWNER}`, [
        ...ownerColumns(owner),
        overlapSeconds,
      ]);
      return this.issue(owner, sql);
    });
  }
}

function ownerColumns(owner: KeyOwner): [string, string | null, string | null] {
  return [owner.scope, owner.scope === 'idp' ? owner.idpId : null, owner.scope === 'sp' ? owner.spId : null];
}
