import fc from 'fast-check';
import { parseStrictJsonObject } from './parse-strict-json.js';

const parse = (text: string) => parseStrictJsonObject(Buffer.from(text));

describe('parseStrictJsonObject', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":1}}',
    '{"x":[{"b":1},{"c":1,"c":2}]}',
    '{"a":1,"\\u0061":2}',
    '{"a":"\\"","a":1}',
    '{"__proto__":1,"__proto__":2}',
  ])('refuses a member that stands twice: %s', (text) => {
    expect(() => parse(text)).toThrow('twice');
  });

  it.each(['[]', '1', '"a"', 'null', 'true', '', '{', '{"a":1}x', '\ufeff{}'])('refuses what is not a JSON object: %s', (text) => {
    expect(() => parse(text)).toThrow(/not (a )?JSON/);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow('utf-8');
  });

  it('takes the same name in different objects, and texts that look like members', () => {
    const value = { a: { a: 1, b: [{ a: 1 }, { a: 2 }] }, b: '","a":1,"a":{', c: ['a', 'a', '{"a"'] };
    expect(parse(JSON.stringify(value))).toEqual(value);
  });

  it('reads every JSON object as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value, null, 2);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
