import { DataSource } from 'typeorm';
import type { EntitySchema, MixedList } from 'typeorm';
import { MIGRATIONS } from './migrations/index.js';

export interface DatabaseSettings {
  url: string;
  poolSize: number;
  statementTimeoutMs: number;
}

/**
 * The TypeORM DataSource: entities of the registry, migrations of everything.
 * Migrations are run by {@link migrate}, never by synchronising entities.
 */
export function createDataSource(settings: DatabaseSettings, entities: MixedList<Function | string | EntitySchema> = []): DataSource {
  return new DataSource({
    type: 'postgres',
    url: settings.url,
    poolSize: settings.poolSize,
    entities,
    migrations: MIGRATIONS,
    migrationsTableName: 'exeunt_migrations',
    applicationName: 'exeunt',
    extra: { statement_timeout: settings.statementTimeoutMs, keepAlive: true },
  });
}
