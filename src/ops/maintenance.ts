import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { messageOf } from '#domain';
import type { Clock } from '#domain';
import { ensureAttemptPartitions, forgetOld } from '#ledger';
import { CLOCK, CONFIG, LOGGER } from '#platform';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import type { Logger } from '#platform/telemetry';
import { RefreshSamlMetadata } from '#registry';
import { foldDeltas } from '#reports';

const FOLD_EVERY_MS = 5_000;
const LOOK_FOR_METADATA_EVERY_MS = 10_000;

/** The housework: partitions ahead of time, retention, folding of the roll-ups, metadata that is due. Any number of workers may do it. */
@Injectable()
export class Maintenance implements BeforeApplicationShutdown {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly metadata: RefreshSamlMetadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  start(): void {
    this.every(FOLD_EVERY_MS, 'folding the roll-ups', () => foldDeltas(this.database));
    this.every(LOOK_FOR_METADATA_EVERY_MS, 'refreshing SAML metadata', () => this.metadata.refreshDue());
    this.every(this.config.retention.intervalSeconds * 1_000, 'retention', () => this.keepHouse());
  }

  /** Partitions and retention, once. */
  async keepHouse(): Promise<void> {
    const now = this.clock.now();
    await ensureAttemptPartitions(this.database, now);
    const forgotten = await forgetOld(this.database, this.config.retention, now);
    this.log.info(forgotten, 'retention');
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.running);
  }

  private every(ms: number, what: string, work: () => Promise<unknown>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      const run: Promise<void> = work()
        .then(
          () => {},
          (error: unknown) => this.log.warn({ error: messageOf(error) }, `${what} failed; it is tried again`),
        )
        .finally(() => {
          busy = false;
          this.running.delete(run);
        });
      this.running.add(run);
    }, ms);
    timer.unref();
    this.timers.push(timer);
  }
}
