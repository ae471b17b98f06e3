import { DataSource } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';
import { listenForErrors } from './listen-for-errors.js';
import { MIGRATIONS } from './migrations/index.js';

export interface DatabaseSettings {
  url: string;
  poolSize: number;
  statementTimeoutMs: number;
}

/**
 * One plan a statement and connection, made for any parameters. Planning the larger statements takes longer than running them, and a plan made for
 * the very parameters, some hundred keys on a table that is small yet, reads the whole table instead of the rows by their keys.
 */
const GENERIC_PLANS = '-c plan_cache_mode=force_generic_plan';

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
    extra: { statement_timeout: settings.statementTimeoutMs, keepAlive: true, options: GENERIC_PLANS },
  };
}

export function createDataSource(settings: DatabaseSettings, entities: DataSourceOptions['entities'] = []): DataSource {
  listenForErrors();
  return new DataSource({ ...databaseOptions(settings), entities });
}
