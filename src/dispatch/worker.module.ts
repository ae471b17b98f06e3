import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { OidcBackchannelChannel, SamlSoapChannel } from '#channels';
import type { Clock } from '#domain';
import { CLOCK, CONFIG, LOGGER, QUEUE_BACKEND } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { Egress } from '#platform/egress';
import type { QueueBackend } from '#platform/queue';
import { Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import { EncryptionKeys, LogoutKeys, RegistryModule, SamlKeys } from '#registry';
import { ChannelTable } from './channel-table.js';
import { Dispatcher } from './dispatcher.js';
import { FanOut } from './fan-out.js';
import { Lanes } from './lanes.js';
import type { FanOutJob } from './outbox.js';
import { Outbox } from './outbox.js';
import { FAN_OUT_QUEUE, OutboxModule } from './outbox.module.js';
import { SettleAttempt } from './settle-attempt.js';
import { Settler } from './settler.js';
import { dispatchSettings, SettlingModule } from './settling.module.js';
import { SpDirectory } from './sp-directory.js';
import { Sweeper } from './sweeper.js';

/** The receiving end of the queue: what the roles `worker` and `all` have. */
@Module({
  imports: [OutboxModule, SettlingModule, RegistryModule],
  providers: [
    {
      provide: ChannelTable,
      useFactory: (
        signer: LogoutKeys,
        samlSigners: SamlKeys,
        encryptionKeys: EncryptionKeys,
        egress: Egress,
        clock: Clock,
        config: Config,
      ) =>
        new ChannelTable([
          new OidcBackchannelChannel(signer, encryptionKeys, egress, clock),
          new SamlSoapChannel({ signers: samlSigners, clock, settings: config.saml }, egress),
        ]),
      inject: [LogoutKeys, SamlKeys, EncryptionKeys, Egress, CLOCK, CONFIG],
    },
    { provide: Lanes, useFactory: (config: Config) => new Lanes(config.dispatch), inject: [CONFIG] },
    {
      provide: FanOut,
      useFactory: (
        database: Database,
        clock: Clock,
        lanes: Lanes,
        channels: ChannelTable,
        directory: SpDirectory,
        settler: Settler,
        attempts: SettleAttempt,
        outbox: Outbox,
        metrics: Metrics,
        log: Logger,
        config: Config,
      ) =>
        new FanOut({
          database,
          clock,
          lanes,
          channels,
          directory,
          settler,
          attempts,
          outbox,
          metrics,
          log,
          settings: dispatchSettings(config),
        }),
      inject: [Database, CLOCK, Lanes, ChannelTable, SpDirectory, Settler, SettleAttempt, Outbox, Metrics, LOGGER, CONFIG],
    },
    {
      provide: Sweeper,
      useFactory: (database: Database, clock: Clock, outbox: Outbox, metrics: Metrics, log: Logger, config: Config) =>
        new Sweeper(database, clock, outbox, metrics, log, config.dispatch),
      inject: [Database, CLOCK, Outbox, Metrics, LOGGER, CONFIG],
    },
    {
      provide: Dispatcher,
      useFactory: (
        backend: QueueBackend,
        queue: Queue<FanOutJob>,
        fanOut: FanOut,
        sweeper: Sweeper,
        settler: Settler,
        outbox: Outbox,
        config: Config,
        log: Logger,
      ) => new Dispatcher(backend, queue, fanOut, sweeper, settler, outbox, config.dispatch, log),
      inject: [QUEUE_BACKEND, FAN_OUT_QUEUE, FanOut, Sweeper, Settler, Outbox, CONFIG, LOGGER],
    },
  ],
  exports: [Dispatcher],
})
export class WorkerModule {
  constructor(lanes: Lanes, metrics: Metrics) {
    metrics.readBeforeScrape(() => {
      for (const [sp, lane] of lanes.entries())
        metrics.laneIs(sp, { inflight: lane.inFlight, waiting: lane.waiting, breakerOpen: lane.breaker.isOpen });
    });
  }
}
