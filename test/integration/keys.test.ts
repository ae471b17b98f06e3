import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { compactDecrypt, CompactEncrypt, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import type { DataSource } from 'typeorm';
import { configSchema } from '#platform/config';
import { createDataSource, Database } from '#platform/database';
import { Egress } from '#platform/egress';
import { loadOrCreateMasterKey, MasterKey, RemoteKeys } from '#platform/keys';
import { EncryptionKeys, LogoutKeys, REGISTRY_ENTITIES, UpstreamKeys } from '#registry';
import type { IdentityProvider, OidcIdentity } from '#registry';
import { freshDatabase } from '../support/postgres.js';
import type { FreshDatabase } from '../support/postgres.js';

const HOUR = 3_600_000;
const config = configSchema.parse({ egress: { allowPrivateNetworks: ['127.0.0.0/8'] }, keys: { rotationOverlapSeconds: 3_600 } });

describe('MasterKey', () => {
  const key = MasterKey.fromText(MasterKey.generateText());

  test('opens what it sealed, for the same context only', () => {
    const sealed = key.seal(Buffer.from('secret'), 'a');
    expect(key.open(sealed, 'a').toString()).toBe('secret');
    expect(() => key.open(sealed, 'b')).toThrow(/EXEUNT_MASTER_KEY does not open what is stored as b/);
  });

  test('the same plain text is sealed differently each time', () => {
    expect(key.seal(Buffer.from('x'), 'a').equals(key.seal(Buffer.from('x'), 'a'))).toBe(false);
  });

  test('every changed byte, a shorter text and another key are refused', () => {
    const sealed = key.seal(Buffer.from('secret'), 'a');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => key.open(changed, 'a')).toThrow();
    }
    expect(() => key.open(sealed.subarray(0, -1), 'a')).toThrow();
    expect(() => key.open(Buffer.alloc(3), 'a')).toThrow(/form/);
    expect(() => MasterKey.fromText(MasterKey.generateText()).open(sealed, 'a')).toThrow(/another key/);
  });

  test('is made of 32 bytes in base64 or base64url, or of a passphrase', () => {
    const text = Buffer.alloc(32, 0xfb).toString('base64');
    const sealed = MasterKey.fromText(text).seal(Buffer.from('x'), 'a');
    expect(
      MasterKey.fromText(`${Buffer.alloc(32, 0xfb).toString('base64url')}\n`)
        .open(sealed, 'a')
        .toString(),
    ).toBe('x');
    const phrase = 'correct horse battery staple';
    expect(
      MasterKey.fromText(phrase)
        .open(MasterKey.fromText(phrase).seal(Buffer.from('x'), 'a'), 'a')
        .toString(),
    ).toBe('x');
  });

  test('a short passphrase is refused by its length, without being shown', () => {
    expect(() => MasterKey.fromText('hunter2')).toThrow(/has 7 characters.*openssl rand -base64 32/);
    expect(() => MasterKey.fromText('hunter2')).not.toThrow(/hunter2/);
  });

  test('shows nothing of itself', () => {
    const text = Buffer.alloc(32, 7).toString('base64');
    const shown = [
      inspect(MasterKey.fromText(text), { showHidden: true, depth: 5 }),
      JSON.stringify({ key: MasterKey.fromText(text) }),
    ].join();
    expect(shown).toBe('[MasterKey],{"key":"[MasterKey]"}');
  });
});

describe('the master key file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'exeunt-key-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is made once, readable by its owner only', async () => {
    const dataDir = join(folder, 'data');
    const sealed = (await loadOrCreateMasterKey(dataDir)).seal(Buffer.from('x'), 'a');
    expect((await stat(join(dataDir, 'master.key'))).mode & 0o777).toBe(0o600);
    expect((await loadOrCreateMasterKey(dataDir)).open(sealed, 'a').toString()).toBe('x');
  });

  test('starters that come at once get one key', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateMasterKey(folder)));
    const sealed = keys[0]!.seal(Buffer.from('x'), 'a');
    for (const key of keys) expect(key.open(sealed, 'a').toString()).toBe('x');
  });

  test('is refused when others may read it, or it holds no key', async () => {
    await loadOrCreateMasterKey(folder);
    const path = join(folder, 'master.key');
    const text = await readFile(path, 'utf8');
    await chmod(path, 0o644);
    await expect(loadOrCreateMasterKey(folder)).rejects.toThrow(/has mode 644.*chmod 600/);
    await chmod(path, 0o600);
    await writeFile(path, 'short');
    await expect(loadOrCreateMasterKey(folder)).rejects.toThrow(/does not hold a master key/);
    await writeFile(path, text);
    await loadOrCreateMasterKey(folder);
  });
});

describe('LogoutKeys', () => {
  let fresh: FreshDatabase;
  let dataSource: DataSource;
  let database: CountingDatabase;
  let keys: LogoutKeys;
  let now = Date.now();
  const egress = new Egress(config.egress);
  const masterKey = MasterKey.fromText(MasterKey.generateText());
  const clock = { now: () => new Date(now) };
  const oidc: OidcIdentity = {
    issuer: 'https://op.example.com',
    jwks: { keys: [] },
    signingAlg: 'RS256',
    allowMissingExp: false,
    encryption: { alg: 'ECDH-ES', enc: 'A256GCM' },
  };
  let idpId = '';
  let count = 0;

  class CountingDatabase extends Database {
    queries = 0;
    failing = false;
    override query<Row>(...args: Parameters<Database['query']>): Promise<Row[]> {
      this.queries++;
      return this.failing ? Promise.reject(new Error('connection refused')) : super.query<Row>(...args);
    }
  }

  const create = (key = masterKey) => new LogoutKeys(database, key, new UpstreamKeys(egress, config), config, clock);

  beforeAll(async () => {
    fresh = await freshDatabase();
    dataSource = await createDataSource({ url: fresh.url, poolSize: 4, statementTimeoutMs: 10_000 }, REGISTRY_ENTITIES).initialize();
    database = new CountingDatabase(dataSource);
  });
  afterAll(async () => {
    await egress.close();
    await dataSource?.destroy();
    await fresh?.drop();
  });
  beforeEach(async () => {
    keys = create();
    idpId = `idp-${++count}`;
    await database.query('INSERT INTO identity_providers (id, name, oidc) VALUES ($1, $1, $2)', [idpId, JSON.stringify(oidc)]);
    await keys.store(await keys.prepare(idpId, oidc));
    database.queries = 0;
  });

  test('a token needs no query of the database, a thousand signers at once need one', async () => {
    const signers = await Promise.all(Array.from({ length: 1_000 }, () => keys.signerFor(idpId, 'ES256')));
    expect(database.queries).toBe(1);
    expect(new Set(signers.map((signer) => signer.privateKey)).size).toBe(1);
    expect(signers[0]).toMatchObject({ issuer: oidc.issuer, alg: 'ES256' });
  });

  test('signs with the published key', async () => {
    for (const alg of ['ES256', 'RS256'] as const) {
      const signer = await keys.signerFor(idpId, alg);
      const token = await new SignJWT({}).setProtectedHeader({ alg, kid: signer.kid }).sign(signer.privateKey);
      const jwk = (await keys.publicKeys(idpId, 'sig')).find((key) => key.kid === signer.kid)!;
      await jwtVerify(token, (await importJWK(jwk, alg)) as CryptoKey);
    }
  });

  test('a rotation passes through publish, sign, retire; another process sees it within seconds', async () => {
    const other = create();
    const old = await other.signerFor(idpId, 'ES256');
    const [next] = await keys.rotate(idpId, { alg: 'ES256' });
    const published = async () => (await keys.publicKeys(idpId, 'sig')).map((key) => key.kid);
    expect(await published()).toEqual(expect.arrayContaining([old.kid, next!.kid]));
    const signs = async () => [(await keys.signerFor(idpId, 'ES256')).kid, (await other.signerFor(idpId, 'ES256')).kid];
    now += HOUR - 1_000;
    expect(await signs()).toEqual([old.kid, old.kid]);
    now += 1_000;
    now += 3_000;
    expect(await signs()).toEqual([next!.kid, next!.kid]);
    expect(await published()).toContain(old.kid);
    now += HOUR;
    expect(await published()).not.toContain(old.kid);
    expect(await published()).toContain(next!.kid);
  });

  test('a second rotation within the overlap leaves no gap in which nothing signs', async () => {
    await keys.rotate(idpId, { alg: 'RS256' });
    now += HOUR / 2;
    await keys.rotate(idpId, { alg: 'RS256' });
    for (let step = 0; step < 40; step++) {
      now += HOUR / 10;
      const signer = await keys.signerFor(idpId, 'RS256');
      expect((await keys.publicKeys(idpId, 'sig')).map((key) => key.kid)).toContain(signer.kid);
    }
  });

  test('goes on signing for a minute while the database is away, not longer', async () => {
    const signer = await keys.signerFor(idpId, 'ES256');
    database.failing = true;
    try {
      now += 10_000;
      expect((await keys.signerFor(idpId, 'ES256')).kid).toBe(signer.kid);
      now += 60_000;
      await expect(keys.signerFor(idpId, 'ES256')).rejects.toThrow('connection refused');
    } finally {
      database.failing = false;
    }
  });

  test('an algorithm without a key, and an identity provider that is not there, are named', async () => {
    await expect(keys.signerFor(idpId, 'EdDSA')).rejects.toThrow(new RegExp(`${idpId} has no EdDSA key`));
    await expect(keys.signerFor('nobody', 'ES256')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('BCL-33 decrypts with the published key, also with the one before a rotation', async () => {
    const encrypt = async () => {
      const [jwk] = await keys.publicKeys(idpId, 'enc');
      return new CompactEncrypt(Buffer.from('token'))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: jwk!.kid! })
        .encrypt(await importJWK(jwk!, 'ECDH-ES'));
    };
    const decrypt = async (jwe: string) =>
      Buffer.from((await compactDecrypt(jwe, async (header) => (await keys.decryptionKey(idpId, header))!)).plaintext).toString();
    const before = await encrypt();
    expect(await decrypt(before)).toBe('token');
    await keys.rotate(idpId, { alg: 'ECDH-ES' });
    expect(await decrypt(before)).toBe('token');
    expect(await keys.decryptionKey(idpId, { kid: 'other' })).toBeNull();
    expect(await keys.decryptionKey(idpId, { alg: 'RSA-OAEP' })).toBeNull();
  });

  test('no private key can be taken out of what the class gives', async () => {
    const signer = await keys.signerFor(idpId, 'ES256');
    expect(signer.privateKey.extractable).toBe(false);
    expect((await keys.decryptionKey(idpId, {}))!.extractable).toBe(false);
    const shown = JSON.stringify([await keys.list(idpId), await keys.rotate(idpId, {}), signer, inspect(keys, { depth: 6 })]);
    const rows = await database.query<{ kid: string; private_sealed: Buffer }>(
      'SELECT kid, private_sealed FROM logout_keys WHERE idp_id = $1',
      [idpId],
    );
    for (const row of rows) {
      const jwk = JSON.parse(masterKey.open(row.private_sealed, `logout key ${row.kid} of ${idpId}`).toString()) as JWK;
      expect(shown).not.toContain(jwk.d!);
      expect(row.private_sealed.toString('latin1')).not.toContain(jwk.d!);
    }
  });

  test('a sealed key put into another row does not open', async () => {
    await database.query(
      `UPDATE logout_keys SET private_sealed = (SELECT private_sealed FROM logout_keys WHERE idp_id = $1 AND alg = 'RS256') WHERE idp_id = $1 AND alg = 'ES256'`,
      [idpId],
    );
    await expect(keys.signerFor(idpId, 'ES256')).rejects.toMatchObject({ code: 'configuration' });
  });

  test('a wrong master key is found at the start, and named', async () => {
    await keys.checkMasterKey();
    const wrong = create(MasterKey.fromText(MasterKey.generateText()));
    await expect(wrong.onModuleInit()).rejects.toThrow(
      /EXEUNT_MASTER_KEY is not the one with which the logout keys in this database were sealed/,
    );
  });
});

describe('keys of others', () => {
  let server: Server;
  let url: string;
  let answer: { status: number; body: unknown };
  let requests = 0;
  let now = Date.now();
  const egress = new Egress(config.egress);

  beforeAll(async () => {
    server = createServer((_, response) => {
      requests++;
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterAll(async () => {
    await egress.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    requests = 0;
  });

  async function signing(kid: string) {
    const pair = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256' };
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(pair.privateKey);
    return { jwk, token };
  }
  const remote = (cooldownSeconds: number, cacheSeconds = 600) =>
    new RemoteKeys({ jwksUri: url }, { fetch: egress.fetch, cacheSeconds, cooldownSeconds }, () => now);

  test('BCL-34 an unknown kid fetches the keys anew, at most once a cooldown', async () => {
    const [first, second] = await Promise.all([signing('1'), signing('2')]);
    answer = { status: 200, body: { keys: [first.jwk] } };
    const cooling = remote(30);
    await jwtVerify(first.token, cooling.keyFor);
    for (let n = 0; n < 5; n++) await expect(jwtVerify(second.token, cooling.keyFor)).rejects.toThrow();
    expect(requests).toBe(1);
    const ready = remote(0);
    await jwtVerify(first.token, ready.keyFor);
    answer = { status: 200, body: { keys: [first.jwk, second.jwk] } };
    await jwtVerify(second.token, ready.keyFor);
    expect(requests).toBe(3);
  });

  test('keys that cannot be fetched anew are used for a day, and not asked for all the time', async () => {
    const { jwk, token } = await signing('1');
    answer = { status: 200, body: { keys: [jwk] } };
    const keys = remote(30, 0);
    await jwtVerify(token, keys.keyFor);
    answer = { status: 500, body: {} };
    for (let n = 0; n < 5; n++) await jwtVerify(token, keys.keyFor);
    expect((await keys.jwks()).keys).toEqual([jwk]);
    expect(requests).toBe(2);
    now += 25 * HOUR;
    await expect(jwtVerify(token, keys.keyFor)).rejects.toMatchObject({ code: 'bad_upstream' });
  });

  test.each([
    ['an error', { status: 500, body: {} }],
    ['a redirect', { status: 302, body: {} }],
    ['no key set', { status: 200, body: { keys: 'none' } }],
    ['a list', { status: 200, body: [] }],
  ])('%s instead of keys is bad_upstream, naming where', async (_, given) => {
    answer = given;
    await expect(remote(30).jwks()).rejects.toMatchObject({ code: 'bad_upstream', message: expect.stringContaining(url) });
  });

  test('an address that is not allowed is not asked', async () => {
    const keys = new RemoteKeys({ jwksUri: 'http://169.254.169.254/jwks' }, { fetch: egress.fetch, cacheSeconds: 1, cooldownSeconds: 1 });
    await expect(keys.jwks()).rejects.toMatchObject({ code: 'bad_upstream', message: expect.stringContaining('refused-address') });
  });

  test('an issuer whose discovery names another issuer is not believed', async () => {
    answer = { status: 200, body: { issuer: 'https://evil.example.com', jwks_uri: url } };
    const keys = new RemoteKeys({ issuer: new URL(url).origin }, { fetch: egress.fetch, cacheSeconds: 1, cooldownSeconds: 1 });
    await expect(keys.jwks()).rejects.toMatchObject({ code: 'bad_upstream' });
  });

  test("BCL-34 an identity provider's keys: those registered, or those at its jwks_uri", async () => {
    const { jwk, token } = await signing('1');
    const upstream = new UpstreamKeys(egress, config);
    const idp = (oidc: Partial<OidcIdentity>) => ({ id: 'a', oidc: { issuer: 'https://a.example.com', ...oidc } }) as IdentityProvider;
    await jwtVerify(token, upstream.resolverFor(idp({ jwks: { keys: [jwk] } })));
    expect(requests).toBe(0);
    answer = { status: 200, body: { keys: [jwk] } };
    await jwtVerify(token, upstream.resolverFor(idp({ jwksUri: url })));
    await jwtVerify(token, upstream.resolverFor(idp({ jwksUri: url })));
    expect(requests).toBe(1);
    await expect(jwtVerify(token, upstream.resolverFor(idp({ jwks: { keys: [(await signing('1')).jwk] } })))).rejects.toThrow();
  });

  test('BCL-24 the key to encrypt to: fits the algorithm, use enc first', async () => {
    const encryption = new EncryptionKeys(egress, config);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }) as JWK;
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) as JWK;
    const keys = [
      { ...rsa, kid: 'sig', use: 'sig' },
      { ...rsa, kid: 'any' },
      { ...ec, kid: 'ec', use: 'enc' },
      { ...rsa, kid: 'enc', use: 'enc' },
    ];
    const enc = 'A256GCM' as const;
    expect((await encryption.keyFor({ alg: 'RSA-OAEP-256', enc, jwks: { keys } })).kid).toBe('enc');
    expect((await encryption.keyFor({ alg: 'ECDH-ES+A128KW', enc, jwks: { keys } })).kid).toBe('ec');
    answer = { status: 200, body: { keys: keys.slice(0, 2) } };
    expect((await encryption.keyFor({ alg: 'RSA-OAEP', enc, jwksUri: url })).kid).toBe('any');
    await expect(encryption.keyFor({ alg: 'ECDH-ES', enc, jwksUri: url })).rejects.toThrow(/no public key for ECDH-ES/);
  });
});
