import { Inject, Module } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Queue } from 'bullmq';
import { LOGGER, QUEUE_BACKEND } from '#platform';
import type { QueueBackend } from '#platform/queue';
import type { Logger } from '#platform/telemetry';
import { FAN_OUT, Outbox } from './outbox.js';
import type { FanOutJob } from './outbox.js';
import { withinMs } from './within-ms.js';

/** A queue that is away does not hold up the end of the process: what it has not taken by then, the sweeper brings again. Milliseconds. */
const FAREWELL_MS = 3_000;

export const FAN_OUT_QUEUE = Symbol('FAN_OUT_QUEUE');

/** The sending end of the queue: what every role has. */
@Module({
  providers: [
    { provide: FAN_OUT_QUEUE, useFactory: (backend: QueueBackend) => backend.createQueue<FanOutJob>(FAN_OUT), inject: [QUEUE_BACKEND] },
    { provide: Outbox, useFactory: (queue: Queue<FanOutJob>, log: Logger) => new Outbox(queue, log), inject: [FAN_OUT_QUEUE, LOGGER] },
  ],
  exports: [FAN_OUT_QUEUE, Outbox],
})
export class OutboxModule implements BeforeApplicationShutdown {
  constructor(
    @Inject(FAN_OUT_QUEUE) private readonly queue: Queue<FanOutJob>,
    @Inject(QUEUE_BACKEND) private readonly backend: QueueBackend,
    private readonly outbox: Outbox,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    const closed = async (): Promise<void> => {
      await this.outbox.idle();
      await this.queue.close();
    };
    if (!(await withinMs(closed(), FAREWELL_MS)))
      this.log.warn('the queue did not answer; what it has not taken, the sweeper of a worker will bring again');
    await this.backend.close();
  }
}
