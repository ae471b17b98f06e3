import { Queue, withBackend, Worker } from 'bullmq';
import type { Processor, WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { createPatientPostgresBackend } from './patient-postgres.js';

export interface QueueSettings {
  /** With it the queue lives in Redis, without it in Postgres. */
  redisUrl?: string;
  redisPrefix: string;
  databaseUrl: string;
  postgresSchema: string;
  poolSize: number;
}

/** A queue, whatever it lives in. */
export interface QueueBackend {
  readonly kind: 'postgres' | 'redis';
  createQueue<Data>(name: string): Queue<Data>;
  createWorker<Data>(name: string, processor: Processor<Data>, options: Pick<WorkerOptions, 'concurrency'>): Worker<Data>;
  close(): Promise<void>;
}

/** One code path on two backends: only the constructor arguments differ. The queue is disposable on either; Postgres holds the truth. */
export function createQueueBackend(settings: QueueSettings, onError: (error: Error) => void): QueueBackend {
  return settings.redisUrl === undefined ? onPostgres(settings, onError) : onRedis({ ...settings, redisUrl: settings.redisUrl }, onError);
}

/** Finished jobs are of no use: the ledger says what happened. A lost worker's jobs come back after `lockDuration`. */
const WORKER_OPTIONS = {
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 100 },
  lockDuration: 30_000,
  stalledInterval: 15_000,
  maxStalledCount: 10,
} satisfies Partial<WorkerOptions>;

function onPostgres(settings: QueueSettings, onError: (error: Error) => void): QueueBackend {
  const connection = (max: number) => ({ connectionString: settings.databaseUrl, schema: settings.postgresSchema, max });
  const postgres = withBackend(createPatientPostgresBackend);
  return {
    kind: 'postgres',
    createQueue: <Data>(name: string) => {
      const queue = new postgres.Queue<Data>(name, { connection: connection(settings.poolSize) });
      queue.on('error', onError);
      return queue as unknown as Queue<Data>;
    },
    createWorker: <Data>(name: string, processor: Processor<Data>, options: Pick<WorkerOptions, 'concurrency'>) => {
      const worker = new postgres.Worker<Data>(name, processor, {
        ...WORKER_OPTIONS,
        ...options,
        connection: connection(settings.poolSize),
      });
      worker.on('error', onError);
      return worker as unknown as Worker<Data>;
    },
    close: async () => {},
  };
}

function onRedis(settings: QueueSettings & { redisUrl: string }, onError: (error: Error) => void): QueueBackend {
  const clients: Redis[] = [];
  const connect = (): Redis => {
    const client = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
    client.on('error', onError);
    clients.push(client);
    return client;
  };
  return {
    kind: 'redis',
    createQueue: <Data>(name: string) => {
      const queue = new Queue<Data>(name, { connection: connect(), prefix: settings.redisPrefix });
      queue.on('error', onError);
      return queue;
    },
    createWorker: <Data>(name: string, processor: Processor<Data>, options: Pick<WorkerOptions, 'concurrency'>) => {
      const worker = new Worker<Data>(name, processor, {
        ...WORKER_OPTIONS,
        ...options,
        connection: connect(),
        prefix: settings.redisPrefix,
      });
      worker.on('error', onError);
      return worker;
    },
    close: async () => {
      for (const client of clients) client.disconnect();
    },
  };
}
