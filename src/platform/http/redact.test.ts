import { showSeen } from './redact.js';

describe('what is shown of a value that was seen', () => {
  test.each<[string, unknown, PropertyKey[]]>([
    ['a private member of a JWK', 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T', ['jwk', 'd']],
    ['a number in a private member', 12, ['jwk', 'p']],
    ['anything named secret', 'hunter2', ['clientSecret']],
    ['anything within something named token', 'x', ['tokens', 0]],
    ['a PKCS#12 file', 'MIIJ', ['pkcs12']],
    ['a PEM anywhere', 'x -----BEGIN EC PRIVATE KEY-----\nMHc', ['name']],
    ['a private JWK as text', '{"kty":"EC","d":"x"}', ['name']],
    ['a JWT anywhere', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.x', ['name']],
    ['an API key anywhere', 'exk_0123456789abcdef0123_secret', ['name']],
  ])('%s is redacted', (_, value, path) => {
    expect(showSeen(value, path)).toBe('[redacted]');
  });

  test('secrets inside an object are redacted, the rest is shown', () => {
    const seen = showSeen({ kty: 'EC', d: 'x', n: 'eyJhbGciOiJSUzI1NiJ9.e', password: 'y', crv: 'P-256' }, ['key']);
    expect(seen).toBe('{"kty":"EC","d":"[redacted]","n":"[redacted]","password":"[redacted]","crv":"P-256"}');
  });

  test('long text is cut to 100 characters, and what cannot be written is named', () => {
    expect(showSeen('x'.repeat(101))).toHaveLength(100);
    let deep: unknown = [];
    for (let n = 0; n < 100_000; n++) deep = [deep];
    expect(showSeen(deep)).toBe('[array]');
  });

  test('harmless values are shown as they are', () => {
    expect([showSeen(5), showSeen(null), showSeen(false), showSeen('abc'), showSeen('q-value', ['q'])]).toEqual([
      5,
      null,
      false,
      'abc',
      'q-value',
    ]);
    expect(showSeen(undefined)).toBeUndefined();
  });
});
