import type { Queue, Worker } from 'bullmq';
import type { QueueBackend } from '#platform/queue';
import type { Logger } from '#platform/telemetry';
import type { FanOut } from './fan-out.js';
import { FAN_OUT } from './outbox.js';
import type { FanOutJob, Outbox } from './outbox.js';
import type { Settler } from './settler.js';
import type { Sweeper } from './sweeper.js';
import { withinMs } from './within-ms.js';

/** When the worker has done nothing for so long, it proves with a job of its own that it still consumes. Milliseconds. */
const PROOF_EVERY_MS = 10_000;
/** Long enough that a worker among many, whose proofs the others may take, is not called dead by chance. */
const PROOF_MISSED_MS = 120_000;
/** A queue that has not taken the proof after so long is away. Milliseconds. */
const QUEUE_ANSWERS_WITHIN_MS = 5_000;

/** The worker's life: consumes the queue, sweeps, drains. */
export class Dispatcher {
  private worker: Worker<FanOutJob> | null = null;
  private lastConsumedAt = Date.now();
  private proofTimer: NodeJS.Timeout | null = null;
  /** Since when the queue owes an answer to a proof. */
  private askedAt: number | null = null;
  private refused = false;

  constructor(
    private readonly backend: QueueBackend,
    private readonly queue: Queue<FanOutJob>,
    private readonly fanOut: FanOut,
    private readonly sweeper: Sweeper,
    private readonly settler: Settler,
    private readonly outbox: Outbox,
    private readonly settings: { concurrentJobs: number; drainSeconds: number },
    private readonly log: Logger,
  ) {}

  start(): void {
    this.worker = this.backend.createWorker<FanOutJob>(
      FAN_OUT,
      async (job) => {
        this.lastConsumedAt = Date.now();
        if (job.data.logoutIds.length > 0) await this.fanOut.run(job.data.logoutIds);
      },
      { concurrency: this.settings.concurrentJobs },
    );
    this.sweeper.start();
    this.proofTimer = setInterval(() => this.proveConsuming(), PROOF_EVERY_MS);
  }

  /** Null while the worker takes jobs, else what is wrong with it. */
  fault(): string | null {
    if (this.worker === null) return 'the worker is not started';
    if (!this.worker.isRunning()) return 'the worker has stopped';
    const owedMs = this.askedAt === null ? 0 : Date.now() - this.askedAt;
    if (owedMs > QUEUE_ANSWERS_WITHIN_MS) return `the queue has not answered for ${Math.round(owedMs / 1_000)} s`;
    if (this.refused) return 'the queue takes no jobs';
    const idleMs = Date.now() - this.lastConsumedAt;
    return idleMs > PROOF_MISSED_MS ? `the worker has consumed nothing for ${Math.round(idleMs / 1_000)} s` : null;
  }

  /**
   * Takes no new jobs, lets what is under way end (at most `drainSeconds`), and writes its results. What does not end in time is left to its
   * lease: another worker sends it again.
   */
  async stop(): Promise<void> {
    if (this.proofTimer) clearInterval(this.proofTimer);
    const drained = async (): Promise<void> => {
      await this.sweeper.stop();
      await this.worker?.close();
      await this.fanOut.idle();
      await this.settler.idle();
      await this.outbox.idle();
    };
    if (!(await withinMs(drained(), this.settings.drainSeconds * 1_000))) {
      this.log.warn({ inFlight: this.fanOut.inFlight }, 'not all deliveries ended in time; others will send them again');
    }
  }

  /** An empty job, when no other came: a worker whose connection died silently does not consume it, and {@link fault} says so. */
  private proveConsuming(): void {
    if (this.askedAt !== null || (Date.now() - this.lastConsumedAt < PROOF_EVERY_MS && !this.refused)) return;
    this.askedAt = Date.now();
    const slot = Math.floor(this.askedAt / PROOF_EVERY_MS);
    void this.queue
      .add(FAN_OUT, { logoutIds: [] }, { jobId: `proof-${process.pid}-${slot}` })
      .then(
        () => (this.refused = false),
        () => (this.refused = true),
      )
      .finally(() => (this.askedAt = null));
  }
}
