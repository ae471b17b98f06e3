import { LogoutRequestRefused } from './logout-request-refused.js';
import { parseLogoutRequest } from './parse-logout-request.js';

const FORM = 'application/x-www-form-urlencoded';
const parse = (change: Partial<Parameters<typeof parseLogoutRequest>[0]>) =>
  parseLogoutRequest({ method: 'POST', contentType: FORM, body: 'logout_token=a.b.c', ...change });

describe('parseLogoutRequest', () => {
  it.each([FORM, `${FORM}; charset=UTF-8`, 'Application/X-WWW-Form-URLencoded ;charset=utf-8'])(
    'BCL-32 takes a form: %s',
    (contentType) => {
      expect(parse({ contentType })).toBe('a.b.c');
    },
  );

  it('BCL-32 takes the raw body as text or bytes, and the form that a parser made of it', () => {
    expect(parse({ body: 'logout_token=a%2Eb.c' })).toBe('a.b.c');
    expect(parse({ body: Buffer.from('logout_token=a.b.c') })).toBe('a.b.c');
    expect(parse({ body: Object.assign(Object.create(null) as object, { logout_token: 'a.b.c' }) })).toBe('a.b.c');
  });

  it('BCL-32 ignores other parameters', () => {
    expect(parse({ body: 'ignored_parameter=1&logout_token=a.b.c&ignored_parameter=2' })).toBe('a.b.c');
    expect(parse({ body: { ignored_parameter: ['1', '2'], logout_token: 'a.b.c' } })).toBe('a.b.c');
  });

  it.each<[string, Partial<Parameters<typeof parseLogoutRequest>[0]>]>([
    ['GET', { method: 'GET' }],
    ['PUT', { method: 'PUT' }],
    ['no content type', { contentType: undefined }],
    ['JSON', { contentType: 'application/json', body: { logout_token: 'a.b.c' } }],
    ['multipart', { contentType: 'multipart/form-data; boundary=x' }],
    ['a type that only begins like a form', { contentType: `${FORM}-not` }],
    ['no logout_token', { body: 'other=1' }],
    ['an empty body', { body: '' }],
    ['no body', { body: undefined }],
    ['null', { body: null }],
    ['logout_token twice', { body: 'logout_token=a.b.c&logout_token=a.b.c' }],
    ['logout_token twice, parsed', { body: { logout_token: ['a.b.c', 'a.b.c'] } }],
    ['an empty logout_token', { body: 'logout_token=' }],
    ['a logout_token that is no text', { body: { logout_token: { a: 1 } } }],
    ['a logout_token that is only inherited', { body: Object.create({ logout_token: 'a.b.c' }) as object }],
  ])('BCL-32, OLT-9 refuses %s', (_, change) => {
    expect(() => parse(change)).toThrow(LogoutRequestRefused);
    expect(() => parse(change)).toThrow(expect.objectContaining({ code: 'malformed_request', clause: 'BCL-32', error: 'invalid_request' }));
  });
});
