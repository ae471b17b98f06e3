import type { EntityManager } from 'typeorm';
import type { PoolClient } from 'pg';
import type { Sql } from '#platform/database';

/** Plain SQL on the connection of a TypeORM transaction, so that others can write in it. */
export async function sqlOf(manager: EntityManager): Promise<Sql> {
  // TypeORM types the connection of its Postgres driver as `any`.
  const client = (await manager.queryRunner!.connect()) as PoolClient;
  return {
    async query<Row>(statement: string | { name: string; text: string }, params: readonly unknown[] = []): Promise<Row[]> {
      const values = params as unknown[];
      const result = await client.query(typeof statement === 'string' ? { text: statement, values } : { ...statement, values });
      return result.rows as Row[];
    },
  };
}

/** SQLSTATE of an error of the database, through TypeORM's wrapping. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code ?? (error as { driverError?: { code?: unknown } } | null)?.driverError?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Name of the constraint that a statement broke, through TypeORM's wrapping. */
export function constraintOf(error: unknown): string | undefined {
  const own = (error as { constraint?: unknown } | null)?.constraint;
  const name = own ?? (error as { driverError?: { constraint?: unknown } } | null)?.driverError?.constraint;
  return typeof name === 'string' ? name : undefined;
}

/** Index by which an entityID means one party to an identity provider. */
export const ENTITY_ID_TAKEN = 'saml_metadata_entity';
export const UNIQUE_VIOLATION = '23505';
export const FOREIGN_KEY_VIOLATION = '23503';
