import { readRetryAfter } from './read-retry-after.js';

const now = new Date('1994-11-06T08:49:07Z');

describe('readRetryAfter', () => {
  it.each([
    ['120', 120_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 30_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 30_000],
    ['Sun Nov  6 08:49:37 1994', 30_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
  ])('BCL-27 reads %s', (value, wanted) => {
    expect(readRetryAfter(value, now)).toBe(wanted);
  });

  it.each([undefined, '', ' ', 'soon', '-5', '1.5', '1e3', '99999999999', 'Sun, 99 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37Z'])(
    'BCL-27 finds nothing in %j that is neither seconds nor an HTTP date',
    (value) => {
      expect(readRetryAfter(value, now)).toBeUndefined();
    },
  );
});
