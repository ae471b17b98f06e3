import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createQueueBackend } from '#platform/queue';
import { freshDatabase, QUEUE_SCHEMA } from '../support/postgres.js';
import { eventually } from '../support/service.js';

/** A way to the database that can be closed and opened again, on the same port. */
async function startGate(databaseUrl: string): Promise<{ url: string; open: boolean; refusals: () => number; close(): Promise<void> }> {
  const target = new URL(databaseUrl);
  const through = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let refusals = 0;
  const gate = { url: '', open: true, refusals: () => refusals, close: async () => {} };
  const server = createServer((client) => {
    if (!gate.open) {
      refusals++;
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  through.port = String((server.address() as AddressInfo).port);
  gate.url = through.href;
  gate.close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return gate;
}

describe('the queue on Postgres, when the database is away while a worker starts', () => {
  it('does not spin, and consumes as soon as the database is there', async () => {
    const fresh = await freshDatabase();
    const gate = await startGate(fresh.url);
    gate.open = false;
    const errors: string[] = [];
    const backend = createQueueBackend({ databaseUrl: gate.url, redisPrefix: 'x', postgresSchema: QUEUE_SCHEMA, poolSize: 2 }, (error) =>
      errors.push(error.message),
    );
    const consumed: string[] = [];
    const worker = backend.createWorker<{ name: string }>('outage', async (job) => void consumed.push(job.data.name), { concurrency: 2 });
    try {
      await eventually(
        async () => gate.refusals(),
        (count) => count >= 4,
      );
      // The event loop lives: it turns a hundred times, and meanwhile the worker has asked a few times at most.
      const before = gate.refusals();
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(gate.refusals() - before).toBeLessThan(10);
      gate.open = true;
      const queue = backend.createQueue<{ name: string }>('outage');
      try {
        await queue.add('job', { name: 'late' });
        await eventually(
          async () => consumed,
          (seen) => seen.includes('late'),
        );
      } finally {
        await queue.close();
      }
      expect(errors.length).toBeLessThan(200);
    } finally {
      await worker.close();
      await backend.close();
      await gate.close();
      await fresh.drop();
    }
  });
});
