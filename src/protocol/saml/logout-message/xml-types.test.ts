import { isId, utcOf } from './xml-types.js';

describe('SLO-2 identifiers', () => {
  it.each(['_1', 'a', 'a-b.c', '\u00e9', `_${'a'.repeat(255)}`])('takes %j', (text) => expect(isId(text)).toBe(true));
  it.each(['', '1', '-a', 'a b', 'a:b', 'a\n', ' a', '#a', "a'", `_${'a'.repeat(256)}`])('does not take %j', (text) =>
    expect(isId(text)).toBe(false),
  );
});

describe('SLO-3 times', () => {
  it.each([
    ['2026-03-04T05:06:07Z', '2026-03-04T05:06:07.000Z'],
    ['2026-03-04T05:06:07.1Z', '2026-03-04T05:06:07.100Z'],
    ['2026-03-04T05:06:07.123456789Z', '2026-03-04T05:06:07.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('takes %s', (text, iso) => expect(utcOf(text)!.toISOString()).toBe(iso));

  it.each([
    '',
    '2026-03-04',
    '2026-03-04T05:06:07',
    '2026-03-04T05:06:07+00:00',
    '2026-03-04T05:06:07z',
    '2026-03-04 05:06:07Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-03-04T24:00:00Z',
    '2026-03-04T05:60:00Z',
    '2026-03-04T05:06:60Z',
    '12026-03-04T05:06:07Z',
    '-2026-03-04T05:06:07Z',
    ' 2026-03-04T05:06:07Z',
    '2026-03-04T05:06:07.Z',
    '1772600767',
  ])('does not take %j', (text) => expect(utcOf(text)).toBeNull());
});
