import { Module } from '@nestjs/common';
import type { Clock } from '#domain';
import type { CompletedLogout } from '#ledger';
import { CLOCK, CONFIG, LOGGER } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import type { JudgeSettings } from './judge-attempt.js';
import { Outbox } from './outbox.js';
import { OutboxModule } from './outbox.module.js';
import { SettleAttempt } from './settle-attempt.js';
import { Settler } from './settler.js';
import { SpDirectory } from './sp-directory.js';

/** How attempts end: what every role has, for answers come to workers from the SP and to the API from the browser. */
@Module({
  imports: [OutboxModule],
  providers: [
    { provide: SpDirectory, useFactory: (database: Database) => new SpDirectory(database), inject: [Database] },
    {
      provide: Settler,
      useFactory: (database: Database, clock: Clock, metrics: Metrics, log: Logger, config: Config) =>
        new Settler(
          database,
          () => clock.now(),
          (logouts) => reportCompleted(logouts, metrics, log),
          config.dispatch.leaseSeconds * 1_000,
        ),
      inject: [Database, CLOCK, Metrics, LOGGER, CONFIG],
    },
    {
      provide: SettleAttempt,
      useFactory: (database: Database, clock: Clock, settler: Settler, outbox: Outbox, metrics: Metrics, log: Logger, config: Config) =>
        new SettleAttempt({ database, clock, settler, outbox, metrics, log, settings: dispatchSettings(config) }),
      inject: [Database, CLOCK, Settler, Outbox, Metrics, LOGGER, CONFIG],
    },
  ],
  exports: [SpDirectory, Settler, SettleAttempt],
})
export class SettlingModule {}

export function dispatchSettings(config: Pick<Config, 'dispatch' | 'browser'>): Config['dispatch'] & JudgeSettings {
  return { ...config.dispatch, browserWaitMs: config.browser.waitSeconds * 1_000 };
}

function reportCompleted(logouts: readonly CompletedLogout[], metrics: Metrics, log: Logger): void {
  for (const { logoutId, verdict, requestedAt, completedAt } of logouts) {
    if (verdict === 'pending') continue;
    metrics.logoutCompleted(verdict);
    log.info({ logoutId, verdict, seconds: (completedAt.getTime() - requestedAt.getTime()) / 1_000 }, 'logout completed');
  }
}
