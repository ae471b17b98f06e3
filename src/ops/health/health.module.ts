import { Inject, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { WorkerModule } from '#dispatch';
import type { Clock } from '#domain';
import { CLOCK } from '#platform';
import { Database } from '#platform/database';
import { Metrics } from '#platform/telemetry';
import { HealthController } from './health.controller.js';
import { watchOpenLogouts } from './open-logouts.js';
import { Readiness } from './readiness.js';

@Module({ controllers: [HealthController], providers: [Readiness], exports: [Readiness] })
export class HealthModule {
  constructor(metrics: Metrics, database: Database, @Inject(CLOCK) clock: Clock) {
    watchOpenLogouts(metrics, database, clock);
  }

  /** With the worker of this process, whose health is then a part of readiness; without, where there is none. */
  static withWorker(hasWorker: boolean): DynamicModule {
    return { module: HealthModule, imports: hasWorker ? [WorkerModule] : [] };
  }
}
