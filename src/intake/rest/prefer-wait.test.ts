import { readWaitSeconds } from './prefer-wait.js';

describe('Prefer: wait (RFC 7240 4.3)', () => {
  it.each([
    ['wait=5', 5],
    ['respond-async, wait=10', 10],
    ['wait=10; foo, handling=lenient', 10],
    ['wait="7"', 7],
    ['WAIT = 3', 3],
    ['wait=99999', 30],
    ['wait=0', 0],
  ])('reads %s', (header, seconds) => expect(readWaitSeconds(header, 30)).toBe(seconds));

  it.each([undefined, '', 'wait', 'wait=soon', 'await=5', 'wait=-1', 'handling=strict'])('ignores %s', (header) =>
    expect(readWaitSeconds(header, 30)).toBeNull(),
  );
});
