import { gradeOf, isId, nameIdKey, newId, OUTCOMES, verdictOf } from './index.js';
import type { Grade } from './index.js';

const counts = (some: Partial<Record<Grade, number>>): Record<Grade, number> => ({
  proven: 0,
  promised: 0,
  unproven: 0,
  partial: 0,
  failed: 0,
  open: 0,
  ...some,
});

describe('verdicts: a logout is as strong as its weakest delivery', () => {
  it.each([
    ['complete', {}],
    ['complete', { proven: 3 }],
    ['promised', { proven: 3, promised: 1 }],
    ['unproven', { proven: 3, promised: 1, unproven: 1 }],
    ['partial', { proven: 3, failed: 1 }],
    ['partial', { unproven: 1, failed: 1 }],
    ['partial', { proven: 1, partial: 1 }],
    ['partial', { partial: 1, failed: 1 }],
    ['failed', { failed: 2 }],
    ['pending', { proven: 9, failed: 1, open: 1 }],
  ] as const)('%s for %j', (verdict, some) => expect(verdictOf(counts(some))).toBe(verdict));

  it('only confirmed and expired are proof', () => {
    expect(OUTCOMES.filter((outcome) => gradeOf(outcome) === 'proven')).toEqual(['confirmed', 'expired']);
  });
});

describe('identifiers', () => {
  it('are valid, distinct, and in the order in which they were made, also when the clock steps back', () => {
    const ids = Array.from({ length: 10_000 }, (_, at) => newId(1_700_000_000_000 - (at % 7)));
    expect(ids.every(isId)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(ids.toSorted());
  });
});

describe('a NameID', () => {
  it('SLO-44 names the same person only with all its attributes equal; an absent one is not an empty one', () => {
    const keys = [{ value: 'a' }, { value: 'a', format: '' }, { value: 'a', nameQualifier: 'q' }, { value: 'a', spNameQualifier: 'q' }].map(
      nameIdKey,
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(nameIdKey({ value: 'a', format: 'f' })).toBe(nameIdKey({ format: 'f', value: 'a' }));
  });
});
