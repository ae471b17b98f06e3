import { Inject, Module } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Queue } from 'bullmq';
import { LOGGER, QUEUE_BACKEND } from '#platform';
import type { QueueBackend } from '#platform/queue';
import type { Logger } from '#platform/telemetry';
import { FAN_OUT, Outbox } from './outbox.js';
import type { FanOutJob } from './outbox.js';

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
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.outbox.idle();
    await this.queue.close();
    await this.backend.close();
  }
}
