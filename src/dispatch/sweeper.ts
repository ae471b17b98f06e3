import { messageOf } from '#domain';
import type { Clock } from '#domain';
import { sweepLogouts } from '#ledger';
import type { Config } from '#platform/config';
import type { Database } from '#platform/database';
import type { Logger, Metrics } from '#platform/telemetry';
import type { Outbox } from './outbox.js';

const BATCH = 500;

/**
 * Brings back what the queue has lost: looks at open logouts when they should long have been served, and enqueues those that have a due
 * delivery which nobody holds. Any number of workers may sweep; each logout is seen by one of them.
 */
export class Sweeper {
  private timer: NodeJS.Timeout | null = null;
  private sweeping: Promise<unknown> | null = null;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly outbox: Pick<Outbox, 'enqueue'>,
    private readonly metrics: Metrics,
    private readonly log: Logger,
    private readonly settings: Pick<Config['dispatch'], 'sweepIntervalMs' | 'sweepGraceSeconds'>,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.sweeping ??= this.sweep()
        .catch((error: unknown) => this.log.warn({ error: messageOf(error) }, 'the sweeper failed; it tries again'))
        .finally(() => (this.sweeping = null));
    }, this.settings.sweepIntervalMs);
  }

  async stop(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.sweeping;
  }

  /** One round. @returns how many logouts were brought back. */
  async sweep(): Promise<number> {
    const now = this.clock.now();
    const lookAgainAt = new Date(now.getTime() + this.settings.sweepGraceSeconds * 1_000);
    let requeued = 0;
    for (;;) {
      const { seen, due } = await sweepLogouts(this.database, now, lookAgainAt, BATCH);
      this.outbox.enqueue(due);
      requeued += due.length;
      if (seen < BATCH) break;
    }
    if (requeued > 0) {
      this.metrics.sweeperRequeued(requeued);
      this.log.info({ requeued }, 'the sweeper brought logouts back to the queue');
    }
    return requeued;
  }
}
