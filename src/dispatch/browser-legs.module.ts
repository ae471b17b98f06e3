import { Module } from '@nestjs/common';
import { samlBrowserChannels } from '#channels';
import type { Clock } from '#domain';
import { CLOCK, CONFIG, LOGGER } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import type { Logger } from '#platform/telemetry';
import { RegistryModule, SamlKeys } from '#registry';
import { BrowserLegs } from './browser-legs.js';
import { SettleAttempt } from './settle-attempt.js';
import { SettlingModule } from './settling.module.js';
import { SpDirectory } from './sp-directory.js';

/** What needs a person's browser: where the API is, for a browser never meets a worker. */
@Module({
  imports: [SettlingModule, RegistryModule],
  providers: [
    {
      provide: BrowserLegs,
      useFactory: (
        database: Database,
        clock: Clock,
        directory: SpDirectory,
        attempts: SettleAttempt,
        signers: SamlKeys,
        config: Config,
        log: Logger,
      ) => {
        const channels = samlBrowserChannels({ signers, clock, settings: config.saml });
        const settings = { legTimeoutMs: config.browser.legTimeoutMs, answerTakenForMs: config.browser.waitSeconds * 1_000 };
        return new BrowserLegs({
          database,
          clock,
          channels: new Map(channels.map((channel) => [channel.type, channel])),
          directory,
          attempts,
          log,
          settings,
        });
      },
      inject: [Database, CLOCK, SpDirectory, SettleAttempt, SamlKeys, CONFIG, LOGGER],
    },
  ],
  exports: [BrowserLegs],
})
export class BrowserLegsModule {}
