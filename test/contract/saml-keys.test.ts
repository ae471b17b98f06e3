import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { MasterKey } from '#platform/keys';
import { SamlKeys } from '#registry';
import { NS } from '#protocol/saml';
import { childrenOf, rootOf } from '../../src/protocol/saml/metadata/metadata-tree.js';
import { makeCertificate as makeRsaCertificate } from '../../src/registry/certificates/make-certificate.js';
import { makeCertificate as makeEcCertificate } from '../integration/egress-certificate.js';
import { OWN } from '../support/idp-metadata.js';
import { idpBody, startRegistryApp } from './registry-app.js';
import type { Answer, RegistryApp } from './registry-app.js';
import { newSamlIdp } from './saml-idp.js';

const YEAR_MS = 365 * 86_400_000;
const PUBLIC_URL = 'https://slo.example.com/exeunt';
const PASSWORD = 'correct horse battery';

let registry: RegistryApp;
beforeAll(async () => {
  registry = await startRegistryApp({ server: { publicUrl: `${PUBLIC_URL}/` } });
});
afterAll(() => registry?.close());

const rsaPair = (bits = 2048) => generateKeyPairSync('rsa', { modulusLength: bits });
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const encrypted = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD }) as string;
const secrets: string[] = [];
/** Remembered, to be looked for in whatever leaves the process. */
function secret(text: string): string {
  secrets.push(text);
  return text;
}

/** Lines of a private key that hold nothing public: that is at the beginning of an RSA key and at the end of an EC key. */
function secretKey(key: KeyObject): string {
  const pem = pemOf(key);
  const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('---'));
  const half = Math.ceil(lines.length / 2);
  (key.asymmetricKeyType === 'rsa' ? lines.slice(half, -1) : lines.slice(0, half)).forEach(secret);
  return pem;
}

function rsa(bits = 2048, now = new Date()): { certificate: string; key: string; both: string } {
  const pair = rsaPair(bits);
  const certificate = makeRsaCertificate(pair, 'login.example.com', now);
  const key = secretKey(pair.privateKey);
  return { certificate, key, both: certificate + key };
}

/** One for whatever is refused before it matters which it is: they take long to make. */
let made: ReturnType<typeof rsa> | undefined;
const anRsa = () => (made ??= rsa());

function ec(notAfter?: Date) {
  const { cert, privateKey } = makeEcCertificate({ commonName: 'ec', ...(notAfter ? { notAfter } : {}) });
  const key = secretKey(privateKey);
  return { certificate: cert, key, both: `${cert}\n${key}` };
}

function pkcs12(
  { certificate, key }: { certificate: string; key: string },
  algorithm: 'aes256' | '3des',
  password = PASSWORD,
  count = 2048,
): string {
  const file = forge.pkcs12.toPkcs12Asn1(forge.pki.privateKeyFromPem(key), [forge.pki.certificateFromPem(certificate)], password, {
    algorithm,
    count,
  });
  return Buffer.from(forge.asn1.toDer(file).getBytes(), 'latin1').toString('base64');
}

function importKey(id: string, body: Record<string, unknown>): Promise<Answer> {
  return registry.call('POST', `/v1/identity-providers/${id}/saml-keys`, { body });
}

function rotate(id: string, body?: Record<string, unknown>): Promise<Answer> {
  return registry.call('POST', `/v1/identity-providers/${id}/saml-keys/rotate`, { body: body ?? {} });
}

async function list(id: string): Promise<{ use: string; fingerprint: string; certificate: string; retiresAt: string | null }[]> {
  const answer = await registry.call('GET', `/v1/identity-providers/${id}/saml-keys`);
  expect(answer.status).toBe(200);
  return answer.json.items;
}

function expectFault(answer: Answer, status: number, code: string, field?: string, rule?: RegExp): void {
  expect([answer.status, answer.json?.type]).toEqual([status, `urn:exeunt:problem:${code}`]);
  if (field === undefined) return;
  const fault = answer.json.errors.find((one: { field: string }) => one.field === field);
  expect(answer.json.errors.map((one: { field: string }) => one.field)).toContain(field);
  if (rule !== undefined) expect(fault.rule).toMatch(rule);
}

const metadata = (id: string, headers: Record<string, string> = {}) =>
  registry.call('GET', `/idps/${id}/saml/metadata`, { token: null, headers });

/** Base64 of the certificates in the first IDPSSODescriptor, by use. */
async function publishedKeys(id: string, use: string): Promise<string[]> {
  const answer = await metadata(id);
  expect(answer.status).toBe(200);
  const role = childrenOf(rootOf(answer.text), NS.md, 'IDPSSODescriptor')[0]!;
  const keys = childrenOf(role, NS.md, 'KeyDescriptor').filter((key) => key.getAttribute('use') === use);
  return keys.map((key) => key.textContent.replace(/\s+/g, ''));
}
const base64 = (pem: string) => new X509Certificate(pem).raw.toString('base64');

describe('generated keys', () => {
  test('one signs with RSA and SHA-256, one is for encryption; each in a certificate that names the identity provider', async () => {
    const { id, entityId } = await newSamlIdp(registry);
    const signing = await registry.app.get(SamlKeys).signerFor(id);
    expect(signing).toMatchObject({
      entityId,
      participantEntityId: `https://exeunt.example.com/idps/${id}`,
      signer: { algorithm: 'rsa-sha256' },
    });
    const items = await list(id);
    expect(items.map((item) => item.use)).toEqual(['signing', 'encryption']);
    for (const item of items) {
      const x509 = new X509Certificate(item.certificate);
      expect(item).toMatchObject({ subject: `CN=${id}`, origin: 'generated', retiresAt: null });
      expect(x509.verify(x509.publicKey)).toBe(true);
      expect(x509.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(item.fingerprint);
      expect(x509.publicKey.asymmetricKeyDetails!.modulusLength).toBeGreaterThanOrEqual(2048);
      expect(Date.parse(x509.validTo) - Date.now()).toBeGreaterThan(9.9 * YEAR_MS);
      expect(Date.parse(x509.validFrom)).toBeLessThan(Date.now());
      expect(x509.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
    const data = randomBytes(20);
    const signature = sign('sha256', data, signing.signer.privateKey);
    expect(verify('sha256', data, createPublicKey(signing.signer.certificate), signature)).toBe(true);
    expect(signing.signer.certificate).toBe(items[0]!.certificate);
  });

  test('what is encrypted to the published certificate can be decrypted', async () => {
    const { id } = await newSamlIdp(registry);
    await metadata(id);
    const [, encryption] = await list(id);
    const [key] = await registry.app.get(SamlKeys).decryptionKeys(id);
    expect(createPublicKey(key!).equals(new X509Certificate(encryption!.certificate).publicKey)).toBe(true);
  });
});

describe('import', () => {
  test.each<[string, () => Record<string, unknown>, string]>([
    ['RSA in PEM', () => ({ pem: rsa().both }), 'rsa-sha256'],
    [
      'RSA in PEM, the key first, with text around',
      () => {
        const { certificate, key } = rsa();
        return { pem: `Bag Attributes\n${key}subject=CN = x\n${certificate}` };
      },
      'rsa-sha256',
    ],
    ['EC P-256 in PEM', () => ({ pem: ec().both }), 'ecdsa-sha256'],
    ['PKCS#12 with AES', () => ({ pkcs12: pkcs12(rsa(), 'aes256'), password: PASSWORD }), 'rsa-sha256'],
    ['PKCS#12 with 3DES', () => ({ pkcs12: pkcs12(rsa(), '3des'), password: PASSWORD }), 'rsa-sha256'],
  ])('%s signs at once and is published', async (_, body, algorithm) => {
    const { id } = await newSamlIdp(registry);
    const before = await registry.app.get(SamlKeys).signerFor(id);
    const answer = await importKey(id, body());
    expect(answer.text).toContain('"origin":"imported"');
    expect([answer.status, answer.json.use]).toEqual([201, 'signing']);
    const { signer } = await registry.app.get(SamlKeys).signerFor(id);
    expect(signer).toMatchObject({ algorithm, certificate: answer.json.certificate });
    const dsaEncoding = 'ieee-p1363';
    const signature = sign('sha256', Buffer.from('x'), { key: signer.privateKey, dsaEncoding });
    expect(verify('sha256', Buffer.from('x'), { key: createPublicKey(signer.certificate), dsaEncoding }, signature)).toBe(true);
    expect(await publishedKeys(id, 'signing')).toEqual([
      OWN.unmarked,
      OWN.next,
      base64(answer.json.certificate),
      base64(before.signer.certificate),
    ]);
  });

  test('of several certificates the one that fits the key is taken', async () => {
    const { id } = await newSamlIdp(registry);
    const [leaf, other] = [rsa(), rsa()];
    const answer = await importKey(id, { pem: other.certificate + leaf.certificate + leaf.key });
    expect([answer.status, base64(answer.json.certificate)]).toEqual([201, base64(leaf.certificate)]);
  });

  test('with an overlap it is published at once and signs later', async () => {
    const { id } = await newSamlIdp(registry);
    const before = await registry.app.get(SamlKeys).signerFor(id);
    const { json } = await importKey(id, { pem: rsa().both, overlapSeconds: 600 });
    expect(Date.parse(json.signsFrom) - Date.parse(json.createdAt)).toBe(600_000);
    expect((await registry.app.get(SamlKeys).signerFor(id)).signer.certificate).toBe(before.signer.certificate);
    expect(await publishedKeys(id, 'signing')).toEqual([
      OWN.unmarked,
      OWN.next,
      base64(before.signer.certificate),
      base64(json.certificate),
    ]);
  });

  test('one for encryption goes first and decrypts, and the one before it still does', async () => {
    const { id } = await newSamlIdp(registry);
    await metadata(id);
    const { json } = await importKey(id, { use: 'encryption', pem: rsa().both });
    expect((await publishedKeys(id, 'encryption'))[0]).toBe(base64(json.certificate));
    const keys = await registry.app.get(SamlKeys).decryptionKeys(id);
    expect(keys).toHaveLength(2);
    expect(createPublicKey(keys[0]!).equals(createPublicKey(json.certificate as string))).toBe(true);
  });

  const weak = () => rsa(1024);
  test.each<[string, () => Record<string, unknown>, string, RegExp]>([
    ['nothing', () => ({}), '/pem', /exactly one of pem and pkcs12/],
    ['both forms', () => ({ pem: anRsa().both, pkcs12: 'AAAA' }), '/pem', /exactly one/],
    ['a password without PKCS#12', () => ({ pem: anRsa().both, password: PASSWORD }), '/password', /pkcs12 only/],
    ['a certificate without key', () => ({ pem: anRsa().certificate }), '/pem', /one private key.*has 0/],
    ['a key without certificate', () => ({ pem: anRsa().key }), '/pem', /certificate of the key/],
    ['two keys', () => ({ pem: anRsa().both + rsa().key }), '/pem', /one private key.*has 2/],
    ['the certificate of another key', () => ({ pem: anRsa().certificate + rsa().key }), '/pem', /none of its 1 certificates belongs/],
    [
      'a damaged certificate',
      () => ({ pem: anRsa().both.replace(/CERTIFICATE-----\n.{9}/, 'CERTIFICATE-----\nAAAAAAAAA') }),
      '/pem',
      /certificate that cannot be read/,
    ],
    [
      'a damaged key',
      () => ({ pem: anRsa().both.replace(/PRIVATE KEY-----\n.{9}/, 'PRIVATE KEY-----\nAAAAAAAAA') }),
      '/pem',
      /private key that can be read/,
    ],
    [
      'an encrypted key',
      () => ({
        pem: anRsa().certificate + encrypted(rsaPair().privateKey),
      }),
      '/pem',
      /not encrypted/,
    ],
    ['an expired certificate', () => ({ pem: rsa(2048, new Date(Date.now() - 11 * YEAR_MS)).both }), '/pem', /expired since 20/],
    ['a certificate of tomorrow', () => ({ pem: rsa(2048, new Date(Date.now() + YEAR_MS)).both }), '/pem', /not valid before 20/],
    ['a short RSA key', () => ({ pem: weak().both }), '/pem', /2048 to 8192 bits, this one has 1024/],
    ['EC for encryption', () => ({ use: 'encryption', pem: ec().both }), '/pem', /must be RSA.*prime256v1/],
    ['a wrong password', () => ({ pkcs12: pkcs12(anRsa(), 'aes256'), password: secret('another password') }), '/password', /is wrong/],
    ['a wrong password (3DES)', () => ({ pkcs12: pkcs12(anRsa(), '3des'), password: secret('another password') }), '/password', /is wrong/],
    ['no password', () => ({ pkcs12: pkcs12(anRsa(), 'aes256') }), '/password', /is wanted/],
    ['PKCS#12 that is none', () => ({ pkcs12: Buffer.from('hello').toString('base64'), password: PASSWORD }), '/pkcs12', /PKCS#12/],
    ['PKCS#12 that is not base64', () => ({ pkcs12: '***', password: PASSWORD }), '/pkcs12', /base64/],
    [
      'PKCS#12 whose opening would take minutes',
      () => ({ pkcs12: slowToOpen(), password: PASSWORD }),
      '/pkcs12',
      /100000 iterations.*8388607/,
    ],
    ['an unknown use', () => ({ use: 'both', pem: anRsa().both }), '/use', /./],
  ])('%s is refused, and no part of it shown', async (_, body, field, rule) => {
    const { id } = await shared();
    const before = (await list(id)).length;
    expectFault(await importKey(id, body()), 422, 'validation', field, rule);
    expect(await list(id)).toHaveLength(before);
  });

  test('a certificate that is there already is 409', async () => {
    const { id } = await newSamlIdp(registry);
    const { both } = anRsa();
    expect((await importKey(id, { pem: both })).status).toBe(201);
    expectFault(await importKey(id, { pem: both, use: 'encryption' }), 409, 'conflict', '/pem', /one use/);
  });
});

/** A file that says of itself that its key is derived by eight million iterations. */
function slowToOpen(): string {
  const der = Buffer.from(pkcs12(anRsa(), 'aes256', PASSWORD, 70_000), 'base64');
  const few = Buffer.from([2, 3, 0x01, 0x11, 0x70]);
  const many = Buffer.from([2, 3, 0x7f, 0xff, 0xff]);
  expect(der.includes(few)).toBe(true);
  const parsed = forge.asn1.fromDer(der.toString('latin1').replaceAll(few.toString('latin1'), many.toString('latin1')));
  return Buffer.from(forge.asn1.toDer(parsed).getBytes(), 'latin1').toString('base64');
}

let known: Promise<{ id: string; apiKey: string }> | undefined;
const shared = () => (known ??= newSamlIdp(registry));

describe('rotation', () => {
  test('publishes the new certificate at once and signs with the old one until the overlap has passed', async () => {
    const { id } = await newSamlIdp(registry);
    const before = await registry.app.get(SamlKeys).signerFor(id);
    const answer = await rotate(id, { overlapSeconds: 3600 });
    expect([answer.status, answer.json.use, answer.json.origin]).toEqual([201, 'signing', 'generated']);
    expect(Date.parse(answer.json.signsFrom) - Date.parse(answer.json.createdAt)).toBe(3_600_000);
    expect((await registry.app.get(SamlKeys).signerFor(id)).signer.privateKey).toBe(before.signer.privateKey);
    expect(await publishedKeys(id, 'signing')).toEqual([
      OWN.unmarked,
      OWN.next,
      base64(before.signer.certificate),
      base64(answer.json.certificate),
    ]);
    const old = (await list(id)).find((item) => item.certificate === before.signer.certificate)!;
    expect(Date.parse(old.retiresAt!) - Date.parse(answer.json.createdAt)).toBe(7_200_000);
  });

  test('without overlap takes a compromised key away at once', async () => {
    const { id } = await newSamlIdp(registry);
    const before = await registry.app.get(SamlKeys).signerFor(id);
    const { json } = await rotate(id, { overlapSeconds: 0 });
    expect((await registry.app.get(SamlKeys).signerFor(id)).signer.certificate).toBe(json.certificate);
    expect(await publishedKeys(id, 'signing')).toEqual([OWN.unmarked, OWN.next, base64(json.certificate)]);
    expect((await list(id)).map((item) => item.certificate)).not.toContain(before.signer.certificate);
  });

  test('of encryption: peers see the new certificate alone, both keys decrypt, and signing goes on', async () => {
    const { id } = await newSamlIdp(registry);
    const before = await registry.app.get(SamlKeys).signerFor(id);
    await metadata(id);
    const { json } = await rotate(id, { use: 'encryption' });
    expect(await publishedKeys(id, 'encryption')).toEqual([base64(json.certificate)]);
    expect(await registry.app.get(SamlKeys).decryptionKeys(id)).toHaveLength(2);
    expect((await registry.app.get(SamlKeys).signerFor(id)).signer.privateKey).toBe(before.signer.privateKey);
  });

  test('may go without a body, and refuses nonsense', async () => {
    const { id } = await shared();
    expect((await registry.call('POST', `/v1/identity-providers/${id}/saml-keys/rotate`)).status).toBe(201);
    expectFault(await rotate(id, { overlapSeconds: -1 }), 422, 'validation', '/overlapSeconds');
    expectFault(await rotate(id, { use: 'tls' }), 422, 'validation', '/use');
  });
});

describe('who may', () => {
  test('the identity provider sees its own keys, others not; only administrators change them', async () => {
    const [one, two] = [await shared(), await newSamlIdp(registry)];
    const path = `/v1/identity-providers/${one.id}/saml-keys`;
    expect((await registry.call('GET', path, { token: one.apiKey })).status).toBe(200);
    expectFault(await registry.call('GET', path, { token: two.apiKey }), 403, 'forbidden');
    expectFault(await registry.call('GET', path, { token: null }), 401, 'unauthorized');
    expectFault(await registry.call('POST', path, { token: one.apiKey, body: { pem: anRsa().both } }), 403, 'forbidden');
    expectFault(await registry.call('POST', `${path}/rotate`, { token: one.apiKey, body: {} }), 403, 'forbidden');
  });

  test('an identity provider that is not there is 404, one without SAML has no keys to change and no metadata', async () => {
    const path = '/v1/identity-providers/nobody/saml-keys';
    expectFault(await registry.call('GET', path), 404, 'not_found');
    expectFault(await registry.call('POST', path, { body: { pem: anRsa().both } }), 404, 'not_found');
    expectFault(await registry.call('POST', `${path}/rotate`, { body: {} }), 404, 'not_found');
    const { id } = (await registry.call('POST', '/v1/identity-providers', { body: idpBody() })).json;
    expect(await list(id)).toEqual([]);
    expectFault(await importKey(id, { pem: anRsa().both }), 409, 'conflict');
    expectFault(await rotate(id), 409, 'conflict');
    for (const missing of [id, 'nobody', '..%2f']) {
      expectFault(await metadata(missing), 404, 'not_found');
      expectFault(await registry.call('GET', `/idps/${missing}/saml/sp-metadata`, { token: null }), 404, 'not_found');
    }
    await expect(registry.app.get(SamlKeys).signerFor(id)).rejects.toMatchObject({ code: 'configuration' });
    await expect(registry.app.get(SamlKeys).signerFor('nobody')).rejects.toMatchObject({ code: 'not_found' });
    expect(await list(id)).toEqual([]);
  });
});

describe('published metadata', () => {
  test('is SAML metadata for anybody, cacheable, with an ETag', async () => {
    const { id, entityId } = await newSamlIdp(registry);
    for (const path of [`/idps/${id}/saml/metadata`, `/idps/${id}/saml/sp-metadata`]) {
      const answer = await registry.call('GET', path, { token: null });
      expect(answer.headers.get('content-type')).toBe('application/samlmetadata+xml');
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
      const etag = answer.headers.get('etag')!;
      const again = await registry.call('GET', path, { token: null, headers: { 'if-none-match': `"x", W/${etag}` } });
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
      expect(childrenOf(rootOf(answer.text))[0]!.localName).toBe('Signature');
    }
    expect(rootOf((await metadata(id)).text).getAttribute('entityID')).toBe(entityId);
  });

  test('SLOX-15 its endpoints are made of the configured URL, whatever the request calls us', async () => {
    const { id } = await newSamlIdp(registry);
    const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example', 'x-forwarded-proto': 'http' };
    for (const path of [`/idps/${id}/saml/metadata`, `/idps/${id}/saml/sp-metadata`]) {
      const { text } = await registry.call('GET', path, { token: null, headers });
      const locations = [...text.matchAll(/<md:SingleLogoutService[^>]*Location="([^"]*)"|<SingleLogoutService[^>]*Location="([^"]*)"/g)];
      const slo = `${PUBLIC_URL}/saml/slo/${id}`;
      expect(locations.map(([, one, other]) => one ?? other)).toEqual([slo, slo, `${slo}/soap`]);
    }
  });

  test('what is posted to the address that the schema wants of us is not read', async () => {
    const { id } = await shared();
    const answer = await registry.call('POST', `/idps/${id}/saml/acs`, {
      token: null,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `SAMLResponse=${secret('PHNhbWw6QXNzZXJ0aW9u')}`,
    });
    expectFault(answer, 404, 'not_found');
    expect(answer.json.detail).toContain('takes no logins');
  });

  test('SLO-75 ends when what it is made of ends', async () => {
    const { id } = await newSamlIdp(registry);
    expect(rootOf((await metadata(id)).text).getAttribute('validUntil')).toBe('2999-01-01T00:00:00.000Z');
  });
});

test('no answer and no log line of all this had a private key or a password', async () => {
  const all = registry.emitted.join('\n');
  const stored = await storedKeys();
  expect(secrets.length).toBeGreaterThan(100);
  expect(stored.length).toBeGreaterThan(20);
  expect([...secrets, ...stored].filter((one) => all.includes(one))).toEqual([]);
  expect(all).not.toContain(PASSWORD);
  expect(all).not.toMatch(/-----BEGIN [A-Z ]*PRIVATE KEY/);
});

/** A secret part of every private key in the database; and nobody opens one with the master key for another identity provider's. */
async function storedKeys(): Promise<string[]> {
  const masterKey = registry.app.get(MasterKey);
  const rows = await registry.database.query<{ idp_id: string; fingerprint: string; private_sealed: Buffer }>(
    'SELECT idp_id, fingerprint, private_sealed FROM saml_keys',
  );
  return rows.map((row) => {
    expect(() => masterKey.open(row.private_sealed, `SAML key ${row.fingerprint} of another`)).toThrow();
    const der = masterKey.open(row.private_sealed, `SAML key ${row.fingerprint} of ${row.idp_id}`);
    const jwk = createPrivateKey({ key: der, type: 'pkcs8', format: 'der' }).export({ format: 'jwk' });
    return jwk.d!.slice(0, 40);
  });
}
