import { DataSource } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';
import { MIGRATIONS } from './migrations/index.js';

export interface DatabaseSettings {
  url: string;
  poolSize: number;
  statementTimeoutMs: number;
}

/**
 * TypeORM's options: entities of the registry, migrations of everything.
 * Migrations are run by {@link migrate}, never by synchronising entities.
 */
export function databaseOptions(settings: DatabaseSettings): DataSourceOptions {
  return {
    type: 'postgres',
    url: settings.url,
    poolSize: settings.poolSize,
    migrations: MIGRATIONS,
    migrationsTableName: 'exeunt_migrations',
    applicationName: 'exeunt',
    extra: { statement_timeout: settings.statementTimeoutMs, keepAlive: true },
  };
}

export function createDataSource(settings: DatabaseSettings, entities: DataSourceOptions['entities'] = []): DataSource {
  return new DataSource({ ...databaseOptions(settings), entities });
}
