import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExeuntError } from '#domain';
import { loadConfig } from './load-config.js';
import type { Environment } from './read-environment.js';

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'exeunt-config-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function withFile(yaml: string, env: Environment = {}): { env: Environment; cwd: string } {
  writeFileSync(join(cwd, 'exeunt.yaml'), yaml);
  return { env: { EXEUNT_CONFIG: 'exeunt.yaml', ...env }, cwd };
}

function refusal(options: { env: Environment; cwd?: string }): ExeuntError {
  try {
    loadConfig({ cwd, ...options });
  } catch (error) {
    expect(error).toBeInstanceOf(ExeuntError);
    expect((error as ExeuntError).code).toBe('configuration');
    return error as ExeuntError;
  }
  throw new Error('was accepted');
}

describe('the configuration', () => {
  it('is the defaults when nothing is set', () => {
    const config = loadConfig({ env: {}, cwd });
    expect(config).toMatchObject({ role: 'all', server: { host: '127.0.0.1', port: 3000 }, dataDir: join(cwd, '.exeunt') });
    expect(config.database.url).toBeUndefined();
  });

  it('takes the file over the defaults, and the environment over the file', () => {
    const options = withFile('server:\n  port: 4000\n  host: "::1"\nlog: { level: warn }\n', { PORT: '5000' });
    expect(loadConfig(options)).toMatchObject({ server: { port: 5000, host: '::1', waitLimitSeconds: 30 }, log: { level: 'warn' } });
  });

  it('reads every variable that has a name of its own', () => {
    const env = {
      PORT: '0',
      HOST: '0.0.0.0',
      PUBLIC_URL: 'https://logout.example/base/',
      DATABASE_URL: 'postgresql://u:p@db/x',
      REDIS_URL: 'rediss://cache:6380',
      EXEUNT_ADMIN_TOKEN: '0123456789012345678',
      EXEUNT_DATA_DIR: 'data',
      EXEUNT_MASTER_KEY: '12345678',
      EXEUNT_ROLE: 'worker',
      EXEUNT_ALLOW_PRIVATE_NETWORKS: ' 10.0.0.0/8, ::1/128 ,',
    };
    expect(loadConfig({ env, cwd })).toMatchObject({
      role: 'worker',
      server: { port: 0, host: '0.0.0.0', publicUrl: 'https://logout.example/base' },
      database: { url: 'postgresql://u:p@db/x' },
      queue: { redisUrl: 'rediss://cache:6380' },
      // Text stays text, also when it looks like a number.
      auth: { adminToken: '0123456789012345678', masterKey: '12345678' },
      dataDir: join(cwd, 'data'),
      egress: { allowPrivateNetworks: ['10.0.0.0/8', '::1/128'] },
    });
  });

  it('reads EXEUNT_<SECTION>__<KEY> as the type of the key', () => {
    const env = {
      EXEUNT_DISPATCH__LEASE_SECONDS: '90',
      EXEUNT_DISPATCH__RETRY_DELAYS_MS: '100,200',
      EXEUNT_DISPATCH__RETRY_JITTER: '0.5',
      EXEUNT_SERVER__TRUST_PROXY: 'true',
      EXEUNT_LOG__LEVEL: 'debug',
      EXEUNT_AUTH__TRUSTED_ISSUERS: '[{"issuer":"https://op.example","audience":"exeunt"}]',
    };
    expect(loadConfig({ env, cwd })).toMatchObject({
      dispatch: { leaseSeconds: 90, retryDelaysMs: [100, 200], retryJitter: 0.5 },
      server: { trustProxy: true },
      log: { level: 'debug' },
      auth: { trustedIssuers: [{ issuer: 'https://op.example', audience: 'exeunt', scopeClaim: 'scope' }] },
    });
  });

  it('takes an empty variable, and a null in the file, for not set', () => {
    const options = withFile('database:\n  url: null\nserver:\n  port:\n', { DATABASE_URL: '', PORT: '' });
    expect(loadConfig(options)).toMatchObject({ server: { port: 3000 } });
  });

  it('is not disturbed by the variables that Kubernetes makes for a service named exeunt', () => {
    expect(
      loadConfig({ env: { EXEUNT_PORT: 'tcp://10.0.0.1:80', EXEUNT_SERVICE_HOST: '10.0.0.1', EXEUNT_PORT_80_TCP_ADDR: '10.0.0.1' }, cwd })
        .server.port,
    ).toBe(3000);
  });
});

describe('a faulty configuration', () => {
  it('is refused with all its faults at once: the name, the value seen, the rule', () => {
    const options = withFile(
      'server:\n  port: 70000\n  prot: 1\nlog:\n  level: loud\negress:\n  allowPrivateNetworks: [10.0.0.0/8, ten]\n',
      {
        HOST: '',
        EXEUNT_ROLE: 'boss',
        EXEUNT_DISPATCH__LEESE_SECONDS: '1',
        PUBLIC_URL: 'ftp://x',
      },
    );
    const { faults, message } = refusal(options);
    expect(faults).toEqual(
      expect.arrayContaining([
        { field: 'exeunt.yaml:2 server.port', seen: 70000, rule: expect.stringContaining('<=65535') },
        { field: 'exeunt.yaml:3 server.prot', rule: expect.stringMatching(/unknown key.*port/) },
        { field: 'exeunt.yaml:5 log.level', seen: 'loud', rule: expect.stringContaining('"warn"') },
        { field: 'exeunt.yaml:7 egress.allowPrivateNetworks.1', seen: 'ten', rule: expect.stringContaining('CIDR') },
        { field: 'EXEUNT_ROLE', seen: 'boss', rule: expect.stringContaining('"worker"') },
        { field: 'EXEUNT_DISPATCH__LEESE_SECONDS', rule: expect.stringContaining('dispatch.leeseSeconds') },
        { field: 'PUBLIC_URL', seen: 'ftp://x', rule: expect.stringContaining('https://') },
      ]),
    );
    expect(faults).toHaveLength(7);
    for (const { field } of faults) expect(message).toContain(field);
  });

  it.each([
    ['EXEUNT_ADMIN_TOKEN', 'hunter2'],
    ['DATABASE_URL', 'mysql://u:hunter2@db/x?password=hunter2'],
    ['DATABASE_URL', 'hunter2'],
    ['REDIS_URL', 'http://:hunter2@cache'],
  ])('never shows a secret: %s', (name, value) => {
    const { message, faults } = refusal({ env: { [name]: value } });
    expect(message + JSON.stringify(faults)).not.toContain('hunter2');
    expect(message).toContain(name);
  });

  it('names the port that is no number', () => {
    expect(refusal({ env: { PORT: '3000a' } }).faults).toEqual([
      { field: 'PORT', seen: '3000a', rule: 'expected number, received string' },
    ]);
  });

  it('does not take true for 1, nor text for a switch', () => {
    expect(refusal(withFile('server: { port: true, trustProxy: "yes" }')).faults.map(({ field }) => field)).toEqual([
      'exeunt.yaml:1 server.port',
      'exeunt.yaml:1 server.trustProxy',
    ]);
  });

  it.each(['api', 'worker'])('role %s without DATABASE_URL', (role) => {
    expect(refusal({ env: { EXEUNT_ROLE: role } }).faults).toEqual([
      { field: 'DATABASE_URL (database.url)', rule: expect.stringContaining(role) },
    ]);
  });

  it('a lease that an attempt outlives', () => {
    expect(refusal({ env: { EXEUNT_DISPATCH__LEASE_SECONDS: '30' } }).faults[0]?.rule).toContain('30000');
  });

  it.each([
    ['is missing', undefined],
    ['is no YAML', 'a: [1'],
    ['has a key twice', 'role: all\nrole: api'],
    ['is a list', '- a'],
  ])('a file that %s', (_, yaml) => {
    const options = yaml === undefined ? { env: { EXEUNT_CONFIG: 'nowhere.yaml' } } : withFile(yaml);
    expect(refusal(options).faults).toEqual([{ field: 'EXEUNT_CONFIG', seen: options.env.EXEUNT_CONFIG, rule: expect.any(String) }]);
  });

  it('a section that is no mapping, also when a variable sets a key in it', () => {
    expect(refusal(withFile('server: 5', { PORT: '1' })).faults).toEqual([
      { field: 'exeunt.yaml:1 server', seen: 5, rule: expect.stringContaining('object') },
    ]);
  });

  it('a key of the language itself is an unknown key', () => {
    expect(refusal(withFile('__proto__: { role: api }\nconstructor: 1')).faults.map(({ field }) => field)).toEqual([
      'exeunt.yaml:1 __proto__',
      'exeunt.yaml:2 constructor',
    ]);
  });
});
