import type { Queue } from 'bullmq';
import { messageOf } from '#domain';
import type { Logger } from '#platform/telemetry';

/** The one kind of job: serve all due deliveries of these logouts. */
export interface FanOutJob {
  logoutIds: string[];
}

export const FAN_OUT = 'fan-out';

/** At most so many logouts a job: a job of many small ones is cheaper than many jobs. */
const LOGOUTS_A_JOB = 20;
/** Delayed jobs are due on a grid, so that deliveries of one logout that fail together come back in one job. Milliseconds. */
const GRID_MS = 250;
const FEW_JOBS = 8;

/**
 * Brings logouts to the queue, after their transaction has committed. Nothing waits for it and nothing fails with it:
 * what does not reach the queue is found by the sweeper.
 */
export class Outbox {
  /** Each once: while the queue is away, the sweeper brings the same ones again and again. */
  private readonly due = new Set<string>();
  private readonly later = new Map<string, Later>();
  private running: Promise<void> | null = null;

  constructor(
    private readonly queue: Pick<Queue<FanOutJob>, 'add' | 'addBulk'>,
    private readonly log: Logger,
  ) {}

  /** The logouts have deliveries that are due now. */
  enqueue(logoutIds: readonly string[]): void {
    if (logoutIds.length === 0) return;
    for (const id of logoutIds) this.due.add(id);
    this.running ??= this.flush();
  }

  /** The logout has a delivery that is due at a later time. */
  schedule(logoutId: string, at: Date): void {
    const due = Math.ceil(at.getTime() / GRID_MS) * GRID_MS;
    this.later.set(`${logoutId}-${due}`, { logoutId, due });
    this.running ??= this.flush();
  }

  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.due.size > 0 || this.later.size > 0) {
      const jobs = [...jobsNow([...this.due]), ...jobsLater(this.later)];
      this.due.clear();
      this.later.clear();
      try {
        await this.add(jobs);
      } catch (error) {
        this.log.warn({ jobs: jobs.length, error: messageOf(error) }, 'the queue took no jobs; the sweeper will bring their logouts again');
      }
    }
    this.running = null;
  }

  /** A few jobs go one by one: on Postgres a bulk makes temporary tables, which costs as much as many single jobs. */
  private async add(jobs: readonly NewJob[]): Promise<void> {
    if (jobs.length > FEW_JOBS) await this.queue.addBulk([...jobs]);
    else await Promise.all(jobs.map(({ name, data, opts }) => this.queue.add(name, data, opts)));
  }
}

type NewJob = Parameters<Queue<FanOutJob>['addBulk']>[0][number];

interface Later {
  logoutId: string;
  /** On the grid. Milliseconds since 1970. */
  due: number;
}

function jobsNow(logoutIds: readonly string[]): NewJob[] {
  const jobs: NewJob[] = [];
  for (let at = 0; at < logoutIds.length; at += LOGOUTS_A_JOB)
    jobs.push({ name: FAN_OUT, data: { logoutIds: logoutIds.slice(at, at + LOGOUTS_A_JOB) } });
  return jobs;
}

function jobsLater(later: ReadonlyMap<string, Later>): NewJob[] {
  const now = Date.now();
  return [...later].map(([jobId, { logoutId, due }]) => ({
    name: FAN_OUT,
    data: { logoutIds: [logoutId] },
    opts: { jobId, delay: Math.max(0, due - now) },
  }));
}
