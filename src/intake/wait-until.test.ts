import { waitUntil } from './wait-until.js';

describe('waitUntil', () => {
  it('reads once when there is nothing to wait for', async () => {
    let reads = 0;
    await expect(
      waitUntil(
        async () => ++reads,
        () => false,
        0,
      ),
    ).resolves.toBe(1);
  });

  it('ends as soon as it is done', async () => {
    let reads = 0;
    await expect(
      waitUntil(
        async () => ++reads,
        (seen) => seen === 3,
        30,
      ),
    ).resolves.toBe(3);
  });
});
