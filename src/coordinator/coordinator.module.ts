import { Module } from '@nestjs/common';
import { Outbox, OutboxModule } from '#dispatch';
import type { Clock } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { Metrics } from '#platform/telemetry';
import { CoordinateLogout } from './coordinate-logout.js';
import { EndByLogoutToken } from './end-by-logout-token.js';
import { TakeEvents } from './take-events.js';

@Module({
  imports: [OutboxModule],
  providers: [
    {
      provide: CoordinateLogout,
      useFactory: (database: Database, clock: Clock, outbox: Outbox, metrics: Metrics, config: Config) =>
        new CoordinateLogout(database, clock, outbox, metrics, config.dispatch),
      inject: [Database, CLOCK, Outbox, Metrics, CONFIG],
    },
    {
      provide: TakeEvents,
      useFactory: (database: Database, clock: Clock, coordinateLogout: CoordinateLogout, metrics: Metrics) =>
        new TakeEvents(database, clock, coordinateLogout, metrics),
      inject: [Database, CLOCK, CoordinateLogout, Metrics],
    },
    {
      provide: EndByLogoutToken,
      useFactory: (database: Database, clock: Clock, coordinateLogout: CoordinateLogout) =>
        new EndByLogoutToken(database, clock, coordinateLogout),
      inject: [Database, CLOCK, CoordinateLogout],
    },
  ],
  exports: [CoordinateLogout, TakeEvents, EndByLogoutToken],
})
export class CoordinatorModule {}
