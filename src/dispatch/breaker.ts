/** Whether an SP is asked now. `probe`: its cool-down is over, and whoever asks first tries it. */
export type Admission = 'open-lane' | 'probe' | 'blocked';

/**
 * Leaves an SP alone that failed several times in a row, and lets one try through after a while.
 * Our own and not a library's: it must say before the lease whether a delivery may be taken, for an attempt that is written is sent.
 */
export class Breaker {
  private failures = 0;
  private retryAt: number | null = null;
  private probingUntil = 0;

  constructor(
    private readonly limit: number,
    private readonly openMs: number,
  ) {}

  admits(now: number): Admission {
    if (this.retryAt === null) return 'open-lane';
    return now >= this.retryAt && now >= this.probingUntil ? 'probe' : 'blocked';
  }

  /** A probe is under way; nobody else is let through until it has reported, or `untilMs` when it never does. */
  probe(untilMs: number): void {
    this.probingUntil = untilMs;
  }

  get isOpen(): boolean {
    return this.retryAt !== null;
  }

  /** When the next try is let through; null while the lane is open. Milliseconds since 1970. */
  get opensAt(): number | null {
    return this.retryAt;
  }

  /** @returns true when this success ended an outage. */
  succeeded(): boolean {
    const recovered = this.retryAt !== null;
    this.failures = 0;
    this.retryAt = null;
    this.probingUntil = 0;
    return recovered;
  }

  failed(now: number): void {
    this.failures++;
    this.probingUntil = 0;
    if (this.failures >= this.limit) this.retryAt = now + this.openMs;
  }
}
