import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresBackend } from 'bullmq';

/** Between two tries to fetch a job from a database that is away. Milliseconds. */
const PAUSE_MS = 250;

/**
 * BullMQ's backend on Postgres, with patience. Its worker fetches the next job without a pause after a failure, and its connection keeps a failed
 * first try for good: a database that goes away while a worker starts would leave the process spinning, deaf even to signals, and never consuming
 * again (seen with 6.7.0). Here a failure costs a pause, and the first try is made anew.
 */
export const createPatientPostgresBackend: typeof createPostgresBackend = (name, options, factoryOptions) => {
  const backend = createPostgresBackend(name, options, factoryOptions);
  // Private in BullMQ's types, both of them: the memory of the first try. A test fails should they be renamed.
  const memories = [backend, backend.connection] as unknown as { readyPromise?: Promise<void> | undefined }[];
  const moveToActive = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...args) => {
    try {
      const fetched: unknown[] = await moveToActive(...args);
      return fetched;
    } catch (error) {
      for (const memory of memories) await memory.readyPromise?.catch(() => (memory.readyPromise = undefined));
      await delay(PAUSE_MS);
      throw error;
    }
  };
  return backend;
};
