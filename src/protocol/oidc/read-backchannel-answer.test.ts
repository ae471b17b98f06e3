import { readBackchannelAnswer } from './read-backchannel-answer.js';

const now = new Date('2026-01-01T00:00:00Z');
const read = (status: number, { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {}) =>
  readBackchannelAnswer({ status, headers, body }, now);

describe('readBackchannelAnswer', () => {
  it.each([200, 204])('BCL-29 takes %d for done', (status) => {
    expect(read(status, { body: '<p>whatever</p>' })).toEqual({ result: 'confirmed', httpStatus: status });
  });

  it.each([201, 202, 206, 299])('BCL-29 takes %d for done, with a word about it', (status) => {
    expect(read(status)).toEqual({
      result: 'confirmed',
      httpStatus: status,
      error: `answered ${status} where 200 or 204 is wanted`,
    });
  });

  it.each([300, 301, 302, 303, 304, 307, 308])('BCL-29 takes the redirect %d for a final no, without the query of its target', (status) => {
    const answer = read(status, { headers: { location: 'https://rp.example.com/login?next=secret#part' } });
    expect(answer).toMatchObject({ result: 'refused', httpStatus: status });
    expect(answer.error).toContain('https://rp.example.com/login,');
    expect(answer.error).not.toContain('secret');
  });

  it.each([400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 418, 422, 451])('BCL-27 takes %d for a final no', (status) => {
    expect(read(status)).toEqual({ result: 'refused', httpStatus: status, error: `answered ${status}` });
  });

  it.each([408, 425, 429, 500, 501, 502, 503, 504, 599])('BCL-27 takes %d for a failure that may pass', (status) => {
    expect(read(status)).toEqual({ result: 'failed', httpStatus: status, error: `answered ${status}`, retryAfterMs: undefined });
  });

  it('BCL-27 hears how long the SP wants to be left alone', () => {
    expect(read(503, { headers: { 'retry-after': '30' } }).retryAfterMs).toBe(30_000);
    expect(read(429, { headers: { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' } }).retryAfterMs).toBe(60_000);
  });

  it('BCL-30 shows error and error_description of a 400 and is moved by neither', () => {
    const body = JSON.stringify({ error: 'temporarily_unavailable', error_description: 'try\nlater', extra: 1 });
    const answer = read(400, { headers: { 'content-type': 'application/json', 'retry-after': '5' }, body });
    expect(answer).toEqual({ result: 'refused', httpStatus: 400, error: 'answered 400: temporarily_unavailable: try later' });
  });

  it.each([
    ['{"error":5}', 'answered 400: {"error":5}'],
    ['{"error":"invalid_request","error_description":{}}', 'answered 400: invalid_request'],
    ['{"error":', 'answered 400: {"error":'],
    ['[1]', 'answered 400: [1]'],
    ['null', 'answered 400: null'],
    ['<html><body><h1>Bad Request</h1></body></html>', 'answered 400: Bad Request'],
    ['', 'answered 400'],
  ])('BCL-30 copes with the body %s', (body, wanted) => {
    expect(read(400, { body }).error).toBe(wanted);
  });

  it('BCL-30 keeps what it shows short, printable and free of tokens', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJlLWJ5dGVz';
    const body = JSON.stringify({ error: `e${'x'.repeat(5_000)}`, error_description: `${token} \u0007 ${'long '.repeat(5_000)}` });
    const { error = '' } = read(400, { body });
    expect(error.length).toBeLessThanOrEqual(500);
    expect(error).toContain('[token]');
    expect(error).not.toMatch(/[^\x20-\x7e]|eyJ/);
  });

  it('names the content type when the body has no words', () => {
    const answer = read(500, { headers: { 'content-type': 'image/png' }, body: '\u0000\u0001' });
    expect(answer.error).toBe('answered 500 with image/png');
  });
});
