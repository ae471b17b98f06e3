import { lookup as systemLookup } from 'node:dns/promises';

/** Name to addresses. Rejects when there are none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

/** The system's resolver with its hosts file and search domains, as every other program on the machine sees names. */
const askSystem: Lookup = async (name) => (await systemLookup(name, { all: true })).map((entry) => entry.address);

/**
 * One question at a time for one name: a fan-out that opens 32 sockets to one SP asks once, and the few threads that Node
 * has for name resolution stay free for others. Nothing is kept after the answer.
 */
export class Resolver {
  private readonly asked = new Map<string, Promise<readonly string[]>>();

  constructor(private readonly lookup: Lookup = askSystem) {}

  resolve(name: string): Promise<readonly string[]> {
    const running = this.asked.get(name);
    if (running) return running;
    const answer = this.lookup(name)
      .then((addresses) => {
        if (addresses.length === 0) throw new Error(`${name} has no address`);
        return addresses;
      })
      .finally(() => this.asked.delete(name));
    this.asked.set(name, answer);
    return answer;
  }
}
