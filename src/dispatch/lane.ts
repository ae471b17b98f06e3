import { Breaker } from './breaker.js';

/** Time for those that were fetched to arrive, before more are fetched. Milliseconds. */
const FETCH_EVERY_MS = 25;

export interface LaneSettings {
  concurrency: number;
  /** Messages a second; null: no limit. */
  perSecond: number | null;
  /** So many may wait before the lane says that it is full. */
  queueLimit: number;
  breakerFailures: number;
  breakerOpenMs: number;
}

/** The way to one SP: its own concurrency, rate and breaker, so that a dead SP costs the others nothing. */
export class Lane {
  readonly breaker: Breaker;
  private inFlightCount = 0;
  private nextSlotAt = 0;
  /** A lane begins by asking: those that the worker before us turned away may be waiting still. */
  private turnedAway = true;
  private fetchesAt = 0;
  private readonly queue: (() => void)[] = [];

  /** @param onFreed told whenever a place to wait has become free. */
  constructor(
    private settings: LaneSettings,
    private readonly onFreed: () => void = () => undefined,
  ) {
    this.breaker = new Breaker(settings.breakerFailures, settings.breakerOpenMs);
  }

  /** Takes changed limits of a registration without losing what waits. */
  adjust(settings: LaneSettings): void {
    this.settings = settings;
  }

  get inFlight(): number {
    return this.inFlightCount;
  }

  get waiting(): number {
    return this.queue.length;
  }

  get queueLimit(): number {
    return this.settings.queueLimit;
  }

  get isFull(): boolean {
    return this.queue.length >= this.settings.queueLimit;
  }

  /** Deliveries were sent away because the lane was full: somebody must fetch them when there is room. */
  turnAway(): void {
    this.turnedAway = true;
  }

  /**
   * How many to fetch of those that were turned away: none while more than half of the places to wait are taken. Whoever fetches says so with
   * {@link turnAway} when he found some, for there may be more.
   */
  takeRoom(now: number): number {
    if (!this.turnedAway || now < this.fetchesAt || this.queue.length > this.settings.queueLimit / 2) return 0;
    this.turnedAway = false;
    this.fetchesAt = now + FETCH_EVERY_MS;
    return this.settings.queueLimit - this.queue.length;
  }

  /** Runs `work` when there is a place and the rate allows it. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.inFlightCount >= this.settings.concurrency) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.inFlightCount++;
    try {
      await this.keepRate();
      return await work();
    } finally {
      // The place goes straight to the next in the queue: were it freed first, a newcomer could take it too.
      const next = this.queue.shift();
      if (next) next();
      else this.inFlightCount--;
      this.onFreed();
    }
  }

  private async keepRate(): Promise<void> {
    if (this.settings.perSecond === null) return;
    const now = Date.now();
    const slot = Math.max(now, this.nextSlotAt);
    this.nextSlotAt = slot + 1_000 / this.settings.perSecond;
    if (slot > now) await new Promise((resolve) => setTimeout(resolve, slot - now));
  }
}
