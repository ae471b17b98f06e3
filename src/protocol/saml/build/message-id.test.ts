import { newMessageId } from './message-id.js';

describe('newMessageId', () => {
  it('SLO-2 is an xs:ID of 160 random bits, new each time', () => {
    const ids = Array.from({ length: 1_000 }, newMessageId);
    for (const id of ids) expect(id).toMatch(/^_[0-9a-f]{40}$/);
    expect(new Set(ids).size).toBe(1_000);
  });
});
