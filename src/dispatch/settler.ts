import { setTimeout as delay } from 'node:timers/promises';
import { isExeuntError } from '#domain';
import { settleDeliveries } from '#ledger';
import type { CompletedLogout, Settled, Settlement } from '#ledger';
import type { Database } from '#platform/database';

const BATCH = 400;
/** Between two tries while the database is away. Milliseconds. */
const PAUSE_MS = 250;

interface Waiting {
  settlement: Settlement;
  resolve: (settled: Settled) => void;
  reject: (error: unknown) => void;
}

/**
 * Writes results in groups: while one statement runs, the results of all fan-outs gather for the next one.
 * A lone result is written at once.
 */
export class Settler {
  private waiting: Waiting[] = [];
  private running: Promise<void> | null = null;

  constructor(
    private readonly database: Database,
    private readonly now: () => Date,
    private readonly onCompleted: (logouts: readonly CompletedLogout[]) => void,
    /** So long a result is kept while the database is away: as long as its lease may last. Milliseconds. */
    private readonly patienceMs: number,
  ) {}

  /** Resolves when the settlement has committed. What an SP has answered is not forgotten because the database restarts. */
  settle(settlement: Settlement): Promise<Settled> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ settlement, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Logouts that a settlement completed, here or in a transaction of somebody else's. */
  announce(completed: readonly CompletedLogout[]): void {
    if (completed.length > 0) this.onCompleted(completed);
  }

  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    // One turn of the event loop lets results that arrive together be written together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.write(this.takeBatch());
    this.running = null;
  }

  /** At most one settlement a delivery in a statement: the others wait for the next. */
  private takeBatch(): Waiting[] {
    const batch = new Map<string, Waiting>();
    const rest: Waiting[] = [];
    for (const waiting of this.waiting) {
      const key = `${waiting.settlement.logoutId} ${waiting.settlement.n}`;
      if (batch.size < BATCH && !batch.has(key)) batch.set(key, waiting);
      else rest.push(waiting);
    }
    this.waiting = rest;
    return [...batch.values()];
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    try {
      const { settled, completed } = await this.commit(batch.map((waiting) => waiting.settlement));
      const byKey = new Map(settled.map((one) => [`${one.logoutId} ${one.n}`, one]));
      for (const { settlement, resolve } of batch) resolve(byKey.get(`${settlement.logoutId} ${settlement.n}`)!);
      this.announce(completed);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }

  /** Tried again while the database is away. A settlement that had committed, and only its answer was lost, changes nothing the second time. */
  private async commit(settlements: readonly Settlement[]): ReturnType<typeof settleDeliveries> {
    for (const end = performance.now() + this.patienceMs; ; await delay(PAUSE_MS)) {
      try {
        return await this.database.transaction((sql) => settleDeliveries(sql, settlements, this.now()));
      } catch (error) {
        if (!isExeuntError(error) || error.code !== 'unavailable' || performance.now() > end) throw error;
      }
    }
  }
}
