/**
 * One at a time, and the event loop goes round between two. What computes for a millisecond is short; sixty of it, which arrived together and run one behind
 * the other before anybody else's turn comes, are not.
 */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn. What he does before he next waits is done alone. */
  take(): Promise<void> {
    this.last = this.last.then(() => new Promise((resolve) => setImmediate(resolve)));
    return this.last;
  }
}
