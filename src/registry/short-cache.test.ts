import { ExeuntError } from '#domain';
import { mayPass, ShortCache } from './short-cache.js';

describe('what was loaded is remembered for a short while', () => {
  let now = 0;
  let cache: ShortCache<string>;
  beforeEach(() => {
    now = 0;
    cache = new ShortCache(1_000, () => now, mayPass);
  });
  const fail = (error: Error) => () => Promise.reject(error);

  it('and stays in use for a minute while the database is away, and no longer', async () => {
    await cache.get('key', () => Promise.resolve('value'));
    const away = fail(new ExeuntError('unavailable', 'the database is away'));
    now = 30_000;
    expect(await cache.get('key', away)).toBe('value');
    now = 61_000;
    await expect(cache.get('key', away)).rejects.toThrow('away');
  });

  it('but not when it is gone for a reason', async () => {
    await cache.get('key', () => Promise.resolve('value'));
    now = 2_000;
    await expect(cache.get('key', fail(new ExeuntError('not_found', 'there is none')))).rejects.toThrow('there is none');
  });
});
