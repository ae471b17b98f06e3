import { Module } from '@nestjs/common';
import { BrowserLegs, BrowserLegsModule, Outbox, OutboxModule } from '#dispatch';
import type { Clock } from '#domain';
import { CLOCK, CONFIG } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { Metrics } from '#platform/telemetry';
import { CoordinateLogout } from './coordinate-logout.js';
import { BrowserLogout } from './browser-logout.js';
import { EndBySamlRequest } from './end-by-saml-request.js';
import { EndByLogoutToken } from './end-by-logout-token.js';
import { TakeEvents } from './take-events.js';

@Module({
  imports: [OutboxModule, BrowserLegsModule],
  providers: [
    {
      provide: CoordinateLogout,
      useFactory: (database: Database, clock: Clock, outbox: Outbox, metrics: Metrics, config: Config) =>
        new CoordinateLogout(database, clock, outbox, metrics, {
          ...config.dispatch,
          browserWaitMs: config.browser.waitSeconds * 1_000,
        }),
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
    {
      provide: EndBySamlRequest,
      useFactory: (database: Database, clock: Clock, coordinateLogout: CoordinateLogout) =>
        new EndBySamlRequest(database, clock, coordinateLogout),
      inject: [Database, CLOCK, CoordinateLogout],
    },
    {
      provide: BrowserLogout,
      useFactory: (database: Database, clock: Clock, legs: BrowserLegs, config: Config) =>
        new BrowserLogout(database, clock, legs, config.browser),
      inject: [Database, CLOCK, BrowserLegs, CONFIG],
    },
  ],
  exports: [CoordinateLogout, TakeEvents, EndByLogoutToken, EndBySamlRequest, BrowserLogout],
})
export class CoordinatorModule {}
