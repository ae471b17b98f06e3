import { describe, expect, it } from '@jest/globals';
import { LeaseTurns } from './lease-turns.js';
import type { Begun } from './lease-turns.js';

/** Leases that end when the test says so. */
function leases() {
  const asked: { ids: readonly string[]; end: (begun?: Begun) => void; fail: (error: Error) => void }[] = [];
  const turns = new LeaseTurns(
    (ids) => new Promise<Begun>((resolve, reject) => asked.push({ ids, end: (begun = new Map()) => resolve(begun), fail: reject })),
  );
  return { asked, turns };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the turns of fan-outs to lease', () => {
  it('one leases at a time; those that wait meanwhile lease together', async () => {
    const { asked, turns } = leases();
    const taken = [turns.take(['a']), turns.take(['b']), turns.take(['c', 'b'])];
    expect(asked.map(({ ids }) => ids)).toEqual([['a']]);
    const [a, b] = [Promise.resolve(), Promise.resolve()];
    asked[0]!.end(new Map([['a', [a]]]));
    await settle();
    expect(asked.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c']]);
    asked[1]!.end(new Map([['b', [b]]]));
    expect(await Promise.all(taken)).toEqual([[a], [b], []]);
  });

  it('a turn is of at most 20 logouts, unless one alone asks for more', async () => {
    const { asked, turns } = leases();
    const of = (count: number, name: string): string[] => Array.from({ length: count }, (_, n) => `${name}${n}`);
    void turns.take(['first']);
    for (const name of ['a', 'b', 'c']) void turns.take(of(9, name));
    void turns.take(of(30, 'd'));
    for (const turn of [0, 1, 2]) {
      asked[turn]!.end();
      await settle();
    }
    expect(asked.map(({ ids }) => ids.length)).toEqual([1, 18, 9, 30]);
  });

  it('a lease that fails fails those that asked for it alone', async () => {
    const { asked, turns } = leases();
    const [first, second] = [turns.take(['a']), turns.take(['b'])];
    asked[0]!.fail(new Error('the database is away'));
    await expect(first).rejects.toThrow('the database is away');
    asked[1]!.end();
    expect(await second).toEqual([]);
  });
});
