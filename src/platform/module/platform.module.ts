import { Global, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { systemClock } from '#domain';
import type { Config } from '#platform/config';
import { Database, databaseOptions } from '#platform/database';
import { Egress } from '#platform/egress';
import { MasterKey } from '#platform/keys';
import { createQueueBackend } from '#platform/queue';
import { Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import { CLOCK, CONFIG, LOGGER, QUEUE_BACKEND } from '#platform';

export interface PlatformParts {
  config: Config;
  /** Where the database is: the configured one, or the embedded one. */
  databaseUrl: string;
  masterKey: MasterKey;
  logger: Logger;
  metrics: Metrics;
}

/** What everything stands on, for all modules. */
@Global()
@Module({})
export class PlatformModule {
  static forRoot({ config, databaseUrl, masterKey, logger, metrics }: PlatformParts): DynamicModule {
    const egress = new Egress(config.egress, { onRefused: () => metrics.egressRefused() });
    const queue = createQueueBackend({ ...config.queue, databaseUrl }, (error) => logger.warn({ error: error.message }, 'queue'));
    return {
      module: PlatformModule,
      imports: [TypeOrmModule.forRoot({ ...databaseOptions({ ...config.database, url: databaseUrl }), autoLoadEntities: true })],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: CLOCK, useValue: systemClock },
        { provide: LOGGER, useValue: logger },
        { provide: QUEUE_BACKEND, useValue: queue },
        { provide: Metrics, useValue: metrics },
        { provide: MasterKey, useValue: masterKey },
        { provide: Egress, useValue: egress },
        { provide: Database, useFactory: (dataSource: DataSource) => new Database(dataSource), inject: [DataSource] },
      ],
      exports: [CONFIG, CLOCK, LOGGER, QUEUE_BACKEND, Metrics, MasterKey, Egress, Database],
    };
  }
}
