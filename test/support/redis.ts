import { describe, it } from '@jest/globals';

/** The suite's Redis, shared by all test files (use a key prefix of your own), or `null` where the machine has no `redis-server`. */
export function redisUrl(): string | null {
  return process.env.EXEUNT_TEST_REDIS_URL ?? null;
}

/**
 * A suite that needs Redis. Without a `redis-server` its tests are left out: one skipped test says so, `npm test` counts
 * it aloud, and with `CI=true` it is a failure.
 */
export function describeOnRedis(name: string, suite: (url: string) => void): void {
  const url = redisUrl();
  if (url !== null) {
    describe(`${name} [redis]`, () => suite(url));
    return;
  }
  describe(`${name} [redis]`, () => {
    if (process.env.CI === 'true') {
      it('needs a redis-server', () => {
        throw new Error(
          `"${name}" needs Redis, and there is no redis-server on this machine: install it (with CI=true nothing is left out)`,
        );
      });
    } else {
      it.skip('left out: no redis-server on this machine', () => undefined);
    }
  });
}
