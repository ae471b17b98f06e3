import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { emptyDatabase, freshDatabase } from '../support/postgres.js';
import { describeOnRedis } from '../support/redis.js';

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe("the suite's PostgreSQL", () => {
  it('gives each caller a migrated database of its own', async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    try {
      await query(one.url, 'CREATE TABLE only_here (n int)');
      const found =
        "SELECT to_regclass('only_here') AS here, to_regclass('exeunt_migrations') AS migrated, to_regnamespace('bullmq') AS queue";
      expect(await query(one.url, found)).toEqual([{ here: 'only_here', migrated: 'exeunt_migrations', queue: 'bullmq' }]);
      expect(await query(other.url, found)).toEqual([{ here: null, migrated: 'exeunt_migrations', queue: 'bullmq' }]);
    } finally {
      await Promise.all([one.drop(), other.drop()]);
    }
    await expect(query(one.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
  });

  it('gives an empty one to tests of migrations', async () => {
    const { url, drop } = await emptyDatabase();
    expect(await query(url, "SELECT to_regclass('exeunt_migrations') AS migrated")).toEqual([{ migrated: null }]);
    await drop();
  });
});

describeOnRedis("the suite's Redis", (url) => {
  it('answers, and keeps nothing on disk', async () => {
    const redis = new Redis(url);
    expect(await redis.ping()).toBe('PONG');
    expect(await redis.config('GET', 'save')).toEqual(['save', '']);
    await redis.quit();
  });
});
