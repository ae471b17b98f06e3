import { describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import type { Logger } from '#platform/telemetry';
import { Outbox } from './outbox.js';
import type { FanOutJob } from './outbox.js';

type Add = Pick<Queue<FanOutJob>, 'add' | 'addBulk'>;
type Job = { data: FanOutJob; opts?: { jobId?: string } };

/** A queue that takes jobs when the test says so. */
function startOutbox() {
  const jobs: Job[] = [];
  const warnings: unknown[] = [];
  let answer!: (error?: Error) => void;
  const hold = (): Promise<void> => new Promise((resolve, reject) => (answer = (error) => (error ? reject(error) : resolve())));
  const queue = {
    add: async (_: string, data: FanOutJob, opts?: Job['opts']) => {
      jobs.push({ data, opts });
      await hold();
    },
    addBulk: async (many: Job[]) => {
      jobs.push(...many);
      await hold();
    },
  } as unknown as Add;
  const outbox = new Outbox(queue, { warn: (...args: unknown[]) => void warnings.push(args) } as unknown as Logger);
  return { outbox, jobs, warnings, answer: (error?: Error) => answer(error) };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the outbox', () => {
  it('while the queue is away keeps each logout, and each time of it, once, however often they are brought', async () => {
    const { outbox, jobs, answer } = startOutbox();
    outbox.enqueue(['first']);
    await settle();
    for (let round = 0; round < 1_000; round++) {
      outbox.enqueue(['a', 'b']);
      outbox.schedule('a', new Date(10_000_000));
      outbox.schedule('a', new Date(10_000_001));
    }
    answer();
    await settle();
    await settle();
    expect(jobs.slice(1).map(({ data, opts }) => [data.logoutIds, opts?.jobId])).toEqual([
      [['a', 'b'], undefined],
      [['a'], 'a-10000000'],
      [['a'], 'a-10000250'],
    ]);
  });

  it('drops what the queue refuses, says so, and goes on: the sweeper brings it again', async () => {
    const { outbox, jobs, warnings, answer } = startOutbox();
    outbox.enqueue(['refused']);
    await settle();
    answer(new Error('the queue is full'));
    await settle();
    await outbox.idle();
    expect(warnings).toHaveLength(1);
    outbox.enqueue(['taken']);
    await settle();
    answer();
    await outbox.idle();
    expect(jobs.map(({ data }) => data.logoutIds)).toEqual([['refused'], ['taken']]);
  });
});
