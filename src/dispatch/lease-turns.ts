/** At most so many logouts a turn: it bounds by how much a turn can give a lane more than it has room for. */
const LOGOUTS_A_TURN = 20;

/** The sends that a turn began, by logout. */
export type Begun = ReadonlyMap<string, Promise<void>[]>;

interface Waiting {
  logoutIds: readonly string[];
  resolve: (begun: Promise<void>[]) => void;
  reject: (error: unknown) => void;
}

/**
 * The fan-outs of this process lease in turn, and those that wait meanwhile lease together. Were they to lease at the same time, each would find room
 * in the same lanes: a worker would then hold many more deliveries than it can send under their leases, and all of them would be stuck when it dies.
 */
export class LeaseTurns {
  private waiting: Waiting[] = [];
  private running = false;

  /** @param lease leases what is due of these logouts and gives it to the lanes, which then know how much room they have left. */
  constructor(private readonly lease: (logoutIds: readonly string[]) => Promise<Begun>) {}

  /** @returns the sends that were begun for these logouts; of those that two ask for at once, the first has them. */
  take(logoutIds: readonly string[]): Promise<Promise<void>[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ logoutIds, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      const turn = this.nextTurn();
      try {
        const begun = new Map(await this.lease([...new Set(turn.flatMap((one) => one.logoutIds))]));
        for (const { logoutIds, resolve } of turn) {
          const own = logoutIds.flatMap((id) => begun.get(id) ?? []);
          for (const id of logoutIds) begun.delete(id);
          resolve(own);
        }
      } catch (error) {
        for (const { reject } of turn) reject(error);
      }
    }
    this.running = false;
  }

  private nextTurn(): Waiting[] {
    let logouts = 0;
    const end = this.waiting.findIndex((one, at) => (logouts += one.logoutIds.length) > LOGOUTS_A_TURN && at > 0);
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }
}
