import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';
import { logAttempt } from './attempt-line.js';

const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkcCJ9.c2lnbmF0dXJlLW9mLWEtdG9rZW4';

function listen(level: 'trace' | 'info' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ level, stream: { write: (line: string) => void lines.push(line) } });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

describe('no secret reaches the log', () => {
  test.each([
    'authorization',
    'Authorization',
    'cookie',
    'set-cookie',
    'logout_token',
    'logoutToken',
    'id_token_hint',
    'token',
    'apiKey',
    'api_key',
    'x-api-key',
    'privateKey',
    'private_key',
    'pem',
    'pkcs12',
    'password',
    'secret',
    'client_secret',
    'masterKey',
    'adminToken',
    'SAMLRequest',
  ])('a field named %s is redacted at any depth', (name) => {
    const { logger, lines } = listen();
    logger.info({ [name]: 'S3CRET', a: { b: [{ [name]: 'S3CRET' }] } }, 'x');
    logger.child({ request: { [name]: 'S3CRET' } }).info('x');
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('S3CRET');
    expect(lines.join()).toContain('[redacted]');
  });

  test('the private parts of a JWK are redacted, its public parts are not', () => {
    const { logger, last } = listen();
    logger.info({ jwk: { kty: 'EC', crv: 'P-256', x: 'X', y: 'Y', d: 'PRIVATE' }, d: 'plain' });
    expect(last()).toMatchObject({ jwk: { kty: 'EC', x: 'X', y: 'Y', d: '[redacted]' }, d: 'plain' });
  });

  test.each([
    ['a JWT', `upstream said ${JWT}`, JWT],
    ['an encrypted JWT', 'got eyJhbGciOiJSU0EtT0FFUCJ9.a2V5.aXY.Y2lwaGVy.dGFn', 'Y2lwaGVy'],
    ['a bearer', 'header was Bearer exk_0123456789abcdef', 'exk_0123456789abcdef'],
    ['a password in a URL', 'connecting to postgres://exeunt:hunter2@db:5432/x', 'hunter2'],
    ['a PEM', '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----', 'MIGHAgEAMBMG'],
  ])('%s inside a message is redacted', (_what, message, secret) => {
    const { logger, lines } = listen();
    logger.info(message);
    logger.error({ err: new Error(message) });
    new NestLogger(logger).warn(message, 'Somewhere');
    expect(lines).toHaveLength(3);
    expect(lines.join()).not.toContain(secret);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  test('an error keeps message, code and cause, and loses what a driver hung on it', () => {
    const { logger, last, lines } = listen();
    const error = Object.assign(new Error('insert failed', { cause: new Error('duplicate key') }), {
      code: '23505',
      parameters: ['S3CRET'],
    });
    logger.error({ err: error }, 'failed');
    expect(last()).toMatchObject({
      level: 'error',
      msg: 'failed',
      err: { message: 'insert failed', code: '23505', cause: { message: 'duplicate key' } },
    });
    expect(lines.join()).not.toContain('S3CRET');
  });

  test('what is deep, circular or huge is cut, not followed', () => {
    const { logger, lines } = listen();
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    logger.info({ loop, wide: Array.from({ length: 50_000 }, (_, n) => ({ n })) });
    expect(lines[0]?.length).toBeLessThan(40_000);
  });
});

describe('lines', () => {
  test('are JSON with level by name, ISO time and service', () => {
    const { logger, last } = listen();
    logger.warn({ sp: 'crm' }, 'slow');
    expect(last()).toMatchObject({
      level: 'warn',
      service: 'exeunt',
      sp: 'crm',
      msg: 'slow',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });

  test('one attempt is one wide line; a failed one is a warning', () => {
    const { logger, last, lines } = listen();
    const line = {
      logoutId: 'lo_1',
      delivery: 2,
      attempt: 1,
      sp: 'crm',
      idp: 'corp',
      channel: 'oidc-backchannel',
      durationMs: 12.5,
      jti: 'j-1',
    } as const;
    logAttempt(logger, { ...line, result: 'confirmed', httpStatus: 204, outcome: 'confirmed' });
    expect(last()).toMatchObject({ ...line, level: 'info', msg: 'attempt', result: 'confirmed', httpStatus: 204 });
    logAttempt(logger, { ...line, result: 'failed', outcome: 'retrying', error: 'timeout', nextAttemptAt: '2026-01-01T00:00:00.000Z' });
    expect(last()).toMatchObject({ level: 'warn', result: 'failed', nextAttemptAt: '2026-01-01T00:00:00.000Z' });
    expect(lines).toHaveLength(2);
  });

  test('Nest: context, stack and error objects arrive as fields', () => {
    const { logger, last } = listen('trace');
    const nest = new NestLogger(logger);
    nest.log('listening', 'Boot');
    expect(last()).toMatchObject({ level: 'info', msg: 'listening', context: 'Boot' });
    nest.error('broken', 'Error: broken\n    at here (file.js:1:1)', 'Boot');
    expect(last()).toMatchObject({ level: 'error', msg: 'broken', context: 'Boot', stack: expect.stringContaining('at here') });
    nest.error(new Error('thrown'));
    expect(last()).toMatchObject({ level: 'error', msg: 'thrown', err: { message: 'thrown' } });
    nest.verbose('detail');
    expect(last()).toMatchObject({ level: 'trace' });
    nest.fatal('over');
    expect(last()).toMatchObject({ level: 'fatal' });
  });

  test("Nest's one line a module at startup is debug", () => {
    const { logger, lines } = listen();
    new NestLogger(logger).log('AppModule dependencies initialized', 'InstanceLoader');
    expect(lines).toHaveLength(0);
  });
});
