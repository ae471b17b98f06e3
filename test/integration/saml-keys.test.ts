import 'reflect-metadata';
import type { DataSource } from 'typeorm';
import { configSchema } from '#platform/config';
import { createDataSource, Database } from '#platform/database';
import type { Sql } from '#platform/database';
import { MasterKey } from '#platform/keys';
import { REGISTRY_ENTITIES, SamlKeys } from '#registry';
import { freshDatabase } from '../support/postgres.js';
import type { FreshDatabase } from '../support/postgres.js';

const HOUR = 3_600_000;
const config = configSchema.parse({ keys: { rotationOverlapSeconds: 3_600 } });
const masterKey = MasterKey.fromText(MasterKey.generateText());
const saml = { entity: { entityId: 'https://idp.example.com' }, participantEntityId: 'https://slo.example/idps/x' };

class FailingDatabase extends Database {
  queries = 0;
  failing = false;
  /** So many transactions begin together. */
  together = 1;
  private waiting: (() => void)[] = [];
  override async transaction<Result>(work: Parameters<Database['transaction']>[0]): Promise<Result> {
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length >= this.together) for (const go of this.waiting.splice(0)) go();
    });
    return super.transaction(work as (sql: Sql) => Promise<Result>);
  }
  override query<Row>(...args: Parameters<Database['query']>): Promise<Row[]> {
    this.queries++;
    return this.failing ? Promise.reject(new Error('connection refused')) : super.query<Row>(...args);
  }
}

let fresh: FreshDatabase;
let dataSource: DataSource;
let database: FailingDatabase;
let idpId = '';
let count = 0;
let now = Date.now();
const clock = { now: () => new Date(now) };
/** As another process would have it: with a memory of its own. */
const create = (key = masterKey) => new SamlKeys(database, key, config, clock);

beforeAll(async () => {
  fresh = await freshDatabase();
  dataSource = await createDataSource({ url: fresh.url, poolSize: 8, statementTimeoutMs: 10_000 }, REGISTRY_ENTITIES).initialize();
  database = new FailingDatabase(dataSource);
});
afterAll(async () => {
  await dataSource?.destroy();
  await fresh?.drop();
});
beforeEach(async () => {
  idpId = `idp-${++count}`;
  await database.query('INSERT INTO identity_providers (id, name, saml) VALUES ($1, $1, $2)', [idpId, JSON.stringify(saml)]);
});

test('prepared keys are stored with the identity provider, and prepared no second time', async () => {
  const keys = create();
  const prepared = await keys.prepareSaml(idpId);
  expect(prepared.map((key) => key.use)).toEqual(['signing', 'encryption']);
  expect(await keys.list(idpId)).toEqual([]);
  await database.transaction((sql) => keys.store(prepared, sql));
  expect((await keys.list(idpId)).map((key) => key.fingerprint)).toEqual(prepared.map((key) => key.fingerprint));
  expect(await keys.prepareSaml(idpId)).toEqual([]);
});

test('processes that make the missing keys at once end with one that signs and one that decrypts', async () => {
  const processes = Array.from({ length: 4 }, () => create());
  database.together = processes.length;
  await Promise.all(processes.map((keys, at) => (at % 2 === 0 ? keys.signerFor(idpId) : keys.certificates(idpId))));
  database.together = 1;
  expect((await create().list(idpId)).map((key) => key.use)).toEqual(['signing', 'encryption']);
  const signers = await Promise.all(processes.map((keys) => keys.signerFor(idpId)));
  expect(new Set(signers.map(({ signer }) => signer.certificate)).size).toBe(1);
});

test('a message needs no query of the database; the key object stays the same as long as the key does', async () => {
  const keys = create();
  const first = await keys.signerFor(idpId);
  database.queries = 0;
  const again = await Promise.all(Array.from({ length: 1_000 }, () => keys.signerFor(idpId)));
  expect(database.queries).toBe(0);
  now += 10_000;
  const later = await keys.signerFor(idpId);
  expect(database.queries).toBe(1);
  expect(new Set([...again, later].map(({ signer }) => signer.privateKey))).toEqual(new Set([first.signer.privateKey]));
});

test('a rotation passes through publish, sign, retire; another process sees it within seconds', async () => {
  const [keys, other] = [create(), create()];
  const old = (await other.signerFor(idpId)).signer.certificate;
  const next = (await keys.rotate(idpId, {})).certificate;
  const published = async () => (await keys.certificates(idpId)).signing;
  const signs = async () => Promise.all([keys, other].map(async (one) => (await one.signerFor(idpId)).signer.certificate));
  expect(await published()).toEqual([old, next]);
  now += HOUR - 1_000;
  expect(await signs()).toEqual([old, old]);
  now += 4_000;
  expect(await signs()).toEqual([next, next]);
  expect(await published()).toEqual([next, old]);
  now += HOUR;
  expect(await published()).toEqual([next]);
  expect((await keys.list(idpId)).filter((key) => key.use === 'signing')).toHaveLength(1);
});

test('SLO-11 what is encrypted to an old certificate is read until it retires', async () => {
  const keys = create();
  await keys.certificates(idpId);
  const [old] = await keys.decryptionKeys(idpId);
  await keys.rotate(idpId, { use: 'encryption' });
  const both = await keys.decryptionKeys(idpId);
  expect(both).toHaveLength(2);
  expect(both[1]).toBe(old);
  expect((await keys.certificates(idpId)).encryption).toHaveLength(1);
  now += 2 * HOUR + 4_000;
  expect(await keys.decryptionKeys(idpId)).toEqual([both[0]]);
});

test('a second rotation within the overlap leaves no gap in which nothing signs', async () => {
  const keys = create();
  await keys.certificates(idpId);
  await keys.rotate(idpId, {});
  now += HOUR / 2;
  await keys.rotate(idpId, {});
  for (let step = 0; step < 12; step++) {
    await expect(keys.signerFor(idpId)).resolves.toMatchObject({ entityId: saml.entity.entityId });
    now += HOUR / 4;
  }
});

test('a database that is away for a moment stops no delivery', async () => {
  const keys = create();
  const { signer } = await keys.signerFor(idpId);
  now += 10_000;
  database.failing = true;
  try {
    expect((await keys.signerFor(idpId)).signer).toBe(signer);
  } finally {
    database.failing = false;
  }
});

test('another master key is found out at the start, before anything is signed', async () => {
  const keys = create();
  await keys.signerFor(idpId);
  await expect(keys.checkMasterKey()).resolves.toBeUndefined();
  const wrong = create(MasterKey.fromText(MasterKey.generateText()));
  await expect(wrong.onModuleInit()).rejects.toThrow(/EXEUNT_MASTER_KEY is not the one.*SAML keys/);
});

test('keys go with their identity provider', async () => {
  const keys = create();
  await keys.certificates(idpId);
  await database.query('DELETE FROM identity_providers WHERE id = $1', [idpId]);
  expect(await keys.list(idpId)).toEqual([]);
  keys.forget(idpId);
  await expect(keys.signerFor(idpId)).rejects.toMatchObject({ code: 'not_found' });
});
