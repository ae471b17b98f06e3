import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { LogoutKeys } from '#registry';
import type { SigningAlg } from '#registry';
import { idpBody, RSA_PUBLIC, spBody, startPeer, startRegistryApp } from './registry-app.js';
import type { Answer, Peer, RegistryApp } from './registry-app.js';

let registry: RegistryApp;
let peer: Peer;

beforeAll(async () => {
  [registry, peer] = await Promise.all([startRegistryApp(), startPeer()]);
});
afterAll(async () => {
  await registry?.close();
  await peer?.close();
});

async function newIdp(changes: Record<string, unknown> = {}, oidc: Record<string, unknown> = {}) {
  const answer = await registry.call('POST', '/v1/identity-providers', { body: idpBody(changes, oidc) });
  expect(answer.text).not.toContain('problem');
  expect(answer.status).toBe(201);
  return answer.json as { id: string; apiKey: string; oidc: Record<string, unknown> };
}

async function newSp(idp: string, changes: Record<string, unknown> = {}, channel: Record<string, unknown> = {}) {
  const answer = await registry.call('POST', '/v1/service-providers', { body: spBody(idp, changes, channel) });
  expect(answer.text).not.toContain('problem');
  expect(answer.status).toBe(201);
  return answer.json;
}

function expectFault(answer: Answer, status: number, code: string, field?: string, seen?: unknown, rule?: RegExp | string) {
  expect([answer.status, answer.json?.type]).toEqual([status, `urn:exeunt:problem:${code}`]);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.json).toMatchObject({
    status,
    title: expect.any(String),
    detail: expect.any(String),
    instance: expect.stringMatching(/^urn:exeunt:request:/),
  });
  if (field === undefined) return;
  const fault = answer.json.errors?.find((one: { field: string }) => one.field === field);
  expect(answer.json.errors?.map((one: { field: string }) => one.field)).toContain(field);
  if (seen !== undefined) expect(fault.seen).toEqual(seen);
  if (rule !== undefined) expect(fault.rule).toMatch(rule);
}

type WrongRow = [string, Record<string, unknown>, Record<string, unknown>, string, unknown?, (RegExp | string)?];
// As objects: a function with more parameters than a row has would be taken for one that calls `done`.
const rowsOf = (rows: WrongRow[]) => rows.map(([what, changes, inner, field, seen, rule]) => ({ what, changes, inner, field, seen, rule }));

describe('identity providers', () => {
  test('are registered with defaults, an API key shown once, ES256 and RS256 keys', async () => {
    const body = idpBody();
    const made = await registry.call('POST', '/v1/identity-providers', { body });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/v1/identity-providers/${body.id}`);
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(made.json.apiKey).toMatch(/^exk_[0-9a-f]{20}_[A-Za-z0-9_-]{43}$/);
    const read = await registry.call('GET', `/v1/identity-providers/${body.id}`);
    const { apiKey: _, ...rest } = made.json;
    expect(read.json).toEqual(rest);
    expect(read.json).toMatchObject({ ...body, oidc: { ...body.oidc, signingAlg: 'RS256', allowMissingExp: false } });
    const keys = await registry.call('GET', `/v1/identity-providers/${body.id}/keys`);
    expect(keys.json.items.map((key: { alg: string }) => key.alg)).toEqual(['ES256', 'RS256']);
    for (const key of keys.json.items) {
      expect(key).toMatchObject({ use: 'sig', origin: 'generated', retiresAt: null, kid: await calculateJwkThumbprint(key.publicJwk) });
      expect(Object.keys(key.publicJwk)).not.toContain('d');
    }
  });

  test('the API key is kept as its SHA-256 only', async () => {
    const { apiKey } = await newIdp();
    const secret = apiKey.split('_').slice(2).join('_');
    const [row] = await registry.database.query<{ all: string }>(
      "SELECT string_agg(t::text || encode(hash, 'escape'), ' ') AS all FROM api_keys t",
    );
    expect(row!.all).not.toContain(secret);
  });

  test('an id that is taken is 409', async () => {
    const { id } = await newIdp();
    expectFault(await registry.call('POST', '/v1/identity-providers', { body: idpBody({ id }) }), 409, 'conflict', '/id', id);
  });

  test('twenty registrations of one id at once make one', async () => {
    const body = idpBody();
    const answers = await Promise.all(Array.from({ length: 20 }, () => registry.call('POST', '/v1/identity-providers', { body })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array<number>(19).fill(409)]);
    const keys = await registry.call('GET', `/v1/identity-providers/${body.id}/keys`);
    expect(keys.json.items).toHaveLength(2);
  });

  const wrong: WrongRow[] = [
    ['an id with a slash', { id: 'a/b' }, {}, '/id', 'a/b', /must match/],
    ['an id that starts with a dot', { id: '.a' }, {}, '/id', '.a'],
    ['an id that is too long', { id: 'a'.repeat(65) }, {}, '/id'],
    ['a missing name', { name: undefined }, {}, '/name', undefined, /required/],
    ['a name with a NUL', { name: 'a\0b' }, {}, '/name'],
    ['a missing oidc', { oidc: undefined }, {}, '/oidc', undefined, /required/],
    ['neither oidc nor saml', { oidc: null, saml: null }, {}, '/oidc', undefined, /at least one/],
    ['an unknown member', { colour: 'red' }, {}, '/colour', 'red', /not a known member/],
    ['an unknown member of oidc', {}, { colour: 'red' }, '/oidc/colour', 'red'],
    ['an issuer that is not absolute', {}, { issuer: 'idp.example.com' }, '/oidc/issuer', 'idp.example.com', /absolute/],
    ['an issuer with a query', {}, { issuer: 'https://idp.example.com/?a' }, '/oidc/issuer', undefined, /query/],
    ['an issuer with a fragment', {}, { issuer: 'https://idp.example.com/#a' }, '/oidc/issuer', undefined, /fragment/],
    ['an issuer with a password', {}, { issuer: 'https://a:b@idp.example.com' }, '/oidc/issuer', undefined, /password/],
    ['an issuer of another scheme', {}, { issuer: 'ftp://idp.example.com' }, '/oidc/issuer', undefined, /https/],
    ['an issuer with a line break', {}, { issuer: 'https://idp.example.com/\n' }, '/oidc/issuer'],
    ['signingAlg none (BCL-22)', {}, { signingAlg: 'none' }, '/oidc/signingAlg', 'none', /unsigned/],
    ['signingAlg HS256', {}, { signingAlg: 'HS256' }, '/oidc/signingAlg', 'HS256', /RS256, PS256, ES256, EdDSA/],
    ['jwks and jwksUri at once', {}, { jwksUri: 'https://idp.example.com/jwks' }, '/oidc/jwks', undefined, /together/],
    ['a symmetric key', {}, { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }, '/oidc/jwks/keys/0', undefined, /private member k/],
    [
      'a weak RSA key',
      {},
      { jwks: { keys: [{ kty: 'RSA', e: 'AQAB', n: RSA_PUBLIC.n.slice(0, 172) }] } },
      '/oidc/jwks/keys/0',
      undefined,
      /2048/,
    ],
    [
      'a point that is not on the curve',
      {},
      { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }] } },
      '/oidc/jwks/keys/0',
      undefined,
      /curve/,
    ],
    ['a NUL within a JWK', {}, { jwks: { keys: [{ ...RSA_PUBLIC, kid: 'a\0' }] } }, '/oidc/jwks/keys/0/kid'],
    ['encryption with an unknown alg', {}, { encryption: { alg: 'RSA1_5', enc: 'A128GCM' } }, '/oidc/encryption/alg', 'RSA1_5'],
    ['allowMissingExp as text', {}, { allowMissingExp: 'yes' }, '/oidc/allowMissingExp', 'yes', /boolean/],
  ];
  test.each(rowsOf(wrong))('refuses $what', async ({ changes, inner: oidc, field, seen, rule }) => {
    const body = { ...idpBody({}, oidc), ...changes };
    expectFault(await registry.call('POST', '/v1/identity-providers', { body }), 422, 'validation', field, seen, rule);
    expectFault(
      await registry.call('PUT', `/v1/identity-providers/${(await shared()).id}`, { body }),
      422,
      'validation',
      field,
      seen,
      rule,
    );
  });

  test('a private key in jwks is refused and not shown', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = privateKey.export({ format: 'jwk' });
    const answer = await registry.call('POST', '/v1/identity-providers', { body: idpBody({}, { jwks: { keys: [jwk] } }) });
    expectFault(answer, 422, 'validation', '/oidc/jwks/keys/0', undefined, /private member d/);
    expect(answer.text).not.toContain(jwk.d);
  });

  test('all faults come at once', async () => {
    const body = { ...idpBody({}, { issuer: 'x', signingAlg: 'none' }), name: '', more: 1 };
    const answer = await registry.call('POST', '/v1/identity-providers', { body });
    expect(answer.json.errors.map((fault: { field: string }) => fault.field).sort()).toEqual([
      '/more',
      '/name',
      '/oidc/issuer',
      '/oidc/signingAlg',
    ]);
  });

  test.each([
    ['jwksUri at a metadata address', { jwks: undefined, jwksUri: 'http://169.254.169.254/jwks' }, '/oidc/jwksUri'],
    ['jwksUri in a private network', { jwks: undefined, jwksUri: 'https://10.0.0.1/jwks' }, '/oidc/jwksUri'],
    ['an issuer to discover in a private network', { jwks: undefined, issuer: 'https://192.168.1.1' }, '/oidc/issuer'],
    ['an http issuer that is not on loopback', { issuer: 'http://8.8.8.8' }, '/oidc/issuer'],
  ])('BCL-6 refuses %s, by the verdict of the egress guard', async (_, oidc, field) => {
    expectFault(await registry.call('POST', '/v1/identity-providers', { body: idpBody({}, oidc) }), 422, 'refused_address', field);
  });

  test('an http issuer on loopback is taken', async () => {
    await newIdp({}, { issuer: 'http://localhost:9/realm' });
  });

  test('are replaced; what is left out goes back to its default', async () => {
    const { id } = await newIdp({}, { audience: 'us', allowMissingExp: true });
    const body = idpBody({ id: undefined, name: 'New name' });
    const answer = await registry.call('PUT', `/v1/identity-providers/${id}`, { body });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id, name: 'New name', oidc: { issuer: body.oidc.issuer, allowMissingExp: false } });
    expect(answer.json.oidc.audience).toBeUndefined();
    expect((await registry.call('GET', `/v1/identity-providers/${id}`)).json).toEqual(answer.json);
  });

  test('the id in a PUT may only repeat the path', async () => {
    const { id } = await newIdp();
    expectFault(
      await registry.call('PUT', `/v1/identity-providers/${id}`, { body: idpBody({ id: 'other' }) }),
      422,
      'validation',
      '/id',
      'other',
    );
  });

  test('an unknown one is 404 for every method', async () => {
    for (const id of ['nobody', 'a%00b', '%F0%9F%98%80', '..%2f', 'a'.repeat(200)]) {
      expectFault(await registry.call('GET', `/v1/identity-providers/${id}`), 404, 'not_found');
      expectFault(await registry.call('PUT', `/v1/identity-providers/${id}`, { body: idpBody({ id: undefined }) }), 404, 'not_found');
      expectFault(await registry.call('DELETE', `/v1/identity-providers/${id}`), 404, 'not_found');
      expectFault(await registry.call('GET', `/v1/identity-providers/${id}/keys`), 404, 'not_found');
      expectFault(await registry.call('POST', `/v1/identity-providers/${id}/keys/rotate`), 404, 'not_found');
      expectFault(await registry.call('POST', `/v1/identity-providers/${id}/api-keys`), 404, 'not_found');
      expectFault(await registry.call('GET', `/idps/${id}/jwks.json`, { token: null }), 404, 'not_found');
      expectFault(await registry.call('GET', `/idps/${id}/rp-jwks.json`, { token: null }), 404, 'not_found');
    }
  });

  test('are deleted, with keys and API keys; 409 while a service provider relies on them', async () => {
    const { id, apiKey } = await newIdp();
    const sp = await newSp(id);
    const refused = await registry.call('DELETE', `/v1/identity-providers/${id}`);
    expectFault(refused, 409, 'conflict');
    expect(refused.json.detail).toContain('1 service providers');
    expect((await registry.call('DELETE', `/v1/service-providers/${sp.id}`)).status).toBe(204);
    expect((await registry.call('GET', `/v1/service-providers/${sp.id}`, { token: sp.apiKey })).status).toBe(401);
    expect((await registry.call('DELETE', `/v1/identity-providers/${id}`)).status).toBe(204);
    expect((await registry.call('GET', `/v1/identity-providers/${id}`, { token: apiKey })).status).toBe(401);
    expect(await registry.database.query('SELECT 1 FROM logout_keys WHERE idp_id = $1', [id])).toEqual([]);
  });
});

let sharedIdp: Promise<{ id: string; apiKey: string }> | undefined;
function shared() {
  return (sharedIdp ??= newIdp());
}

describe('service providers', () => {
  test('are registered with defaults and an API key; the URI is kept byte for byte (BCL-3)', async () => {
    const { id: idp } = await shared();
    const uri = 'http://127.0.0.1:9/a%2Fb/../c?x=%20&y=a+b&&z';
    const body = spBody(idp, { postLogoutRedirectUris: ['https://rp.example.com/done/', 'com.example.app:/done'] }, { uri });
    const made = await registry.call('POST', '/v1/service-providers', { body });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/v1/service-providers/${body.id}`);
    const { apiKey, ...rest } = made.json;
    expect(apiKey).toMatch(/^exk_/);
    expect(rest).toMatchObject({
      ...body,
      channels: [{ ...body.channels[0], uri, sessionRequired: false, signingAlg: 'RS256', tell: 'session' }],
      timeoutMs: null,
      maxConcurrency: null,
      maxPerSecond: null,
      mayEndRoot: true,
      enabled: true,
    });
    expect((await registry.call('GET', `/v1/service-providers/${body.id}`)).json).toEqual(rest);
  });

  test('one that cannot be told has no channels', async () => {
    const { id } = await shared();
    expect((await newSp(id, { channels: [] })).channels).toEqual([]);
  });

  test('a second one of the same id is 409, one of an unknown identity provider 404', async () => {
    const { id: idp } = await shared();
    const { id } = await newSp(idp);
    expectFault(await registry.call('POST', '/v1/service-providers', { body: spBody(idp, { id }) }), 409, 'conflict', '/id', id);
    expectFault(await registry.call('POST', '/v1/service-providers', { body: spBody('nobody') }), 404, 'not_found', '/idp', 'nobody');
  });

  const uri = (value: string) => ({ uri: value });
  const wrong: WrongRow[] = [
    [
      'a channel type of a later version',
      { channels: [{ type: 'oidc-frontchannel', uri: 'https://a.example' }] },
      {},
      '/channels/0/type',
      'oidc-frontchannel',
      /not available in this version; available: oidc-backchannel, saml/,
    ],
    ['a channel type of nowhere', {}, { type: 'pigeon' }, '/channels/0/type', 'pigeon', /available: oidc-backchannel/],
    ['channels that are no list', { channels: {} }, {}, '/channels', '{}', /array/],
    ['BCL-3 a relative URI', {}, uri('/logout'), '/channels/0/uri', '/logout', /absolute/],
    ['BCL-3 a URI without a host', {}, uri('https:logout'), '/channels/0/uri', undefined, /absolute/],
    ['BCL-3 a URI with a fragment', {}, uri('https://rp.example.com/#a'), '/channels/0/uri', undefined, /fragment/],
    ['BCL-3 a URI with an empty fragment', {}, uri('https://rp.example.com/#'), '/channels/0/uri', undefined, /fragment/],
    ['BCL-4 a URI of another scheme', {}, uri('gopher://rp.example.com/'), '/channels/0/uri', undefined, /https/],
    ['a URI with a password', {}, uri('https://u:p@rp.example.com/'), '/channels/0/uri', undefined, /password/],
    ['a URI with a space', {}, uri('https://rp.example.com/ a'), '/channels/0/uri'],
    ['a URI with a backslash', {}, uri('https://rp.example.com\\@127.0.0.1/'), '/channels/0/uri'],
    ['a URI that is too long', {}, uri(`https://rp.example.com/${'a'.repeat(2048)}`), '/channels/0/uri', undefined, /2048/],
    ['BCL-22 signingAlg none', {}, { signingAlg: 'none' }, '/channels/0/signingAlg', 'none', /unsigned/],
    ['signingAlg HS256', {}, { signingAlg: 'HS256' }, '/channels/0/signingAlg', 'HS256'],
    ['BCL-5 sessionRequired with one message a user', {}, { sessionRequired: true, tell: 'user' }, '/channels/0/tell', 'user', /no sid/],
    ['a missing clientId', {}, { clientId: undefined }, '/channels/0/clientId', undefined, /required/],
    ['a clientId that is not ASCII', {}, { clientId: 'ä' }, '/channels/0/clientId', 'ä', /ASCII/],
    [
      'BCL-24 encryption without keys',
      {},
      { encryption: { alg: 'RSA-OAEP-256', enc: 'A256GCM' } },
      '/channels/0/encryption/jwks',
      undefined,
      /exactly one/,
    ],
    [
      'BCL-24 encryption without a fitting key',
      {},
      { encryption: { alg: 'ECDH-ES', enc: 'A256GCM', jwks: { keys: [RSA_PUBLIC] } } },
      '/channels/0/encryption/jwks',
      undefined,
      /ECDH-ES/,
    ],
    ['timeoutMs below 100', { timeoutMs: 99 }, {}, '/timeoutMs', 99, /100/],
    ['timeoutMs beyond the configured limit', { timeoutMs: 30_001 }, {}, '/timeoutMs', 30_001, /30000/],
    ['timeoutMs as text', { timeoutMs: '100' }, {}, '/timeoutMs', '100', /number|integer/],
    ['maxConcurrency 0', { maxConcurrency: 0 }, {}, '/maxConcurrency', 0],
    ['maxConcurrency 1001', { maxConcurrency: 1_001 }, {}, '/maxConcurrency', 1_001],
    ['maxPerSecond 0', { maxPerSecond: 0 }, {}, '/maxPerSecond', 0],
    ['layer idp', { layer: 'idp' }, {}, '/layer', 'idp', /sp, gateway/],
    ['a relative post-logout URI', { postLogoutRedirectUris: ['/done'] }, {}, '/postLogoutRedirectUris/0', '/done'],
    [
      'a javascript: post-logout URI',
      { postLogoutRedirectUris: ['https://a.example/', 'javascript:alert(1)'] },
      {},
      '/postLogoutRedirectUris/1',
      undefined,
      /scheme/,
    ],
    ['enabled as a number', { enabled: 1 }, {}, '/enabled', 1, /boolean/],
  ];
  test.each(rowsOf(wrong))('refuses $what', async ({ changes, inner: channel, field, seen, rule }) => {
    const { id: idp } = await shared();
    const body = { ...spBody(idp, {}, channel), ...changes };
    expectFault(await registry.call('POST', '/v1/service-providers', { body }), 422, 'validation', field, seen, rule);
  });

  test.each([
    ['http to a public address', 'http://8.8.8.8/logout'],
    ['a private address', 'https://10.1.2.3/logout'],
    ['the metadata service', 'https://169.254.169.254/latest'],
    ['an address in decimal', 'http://2852039166/'],
    ['a v4-mapped address', 'https://[::ffff:10.0.0.1]/'],
  ])('BCL-4, BCL-6 refuses %s', async (_, address) => {
    const { id } = await shared();
    const answer = await registry.call('POST', '/v1/service-providers', { body: spBody(id, {}, { uri: address }) });
    expectFault(answer, 422, 'refused_address', '/channels/0/uri', address);
  });

  test('faults of rules and of addresses come together', async () => {
    const { id } = await shared();
    const body = spBody(id, { timeoutMs: 60_000 }, { uri: 'https://10.0.0.1/' });
    const answer = await registry.call('POST', '/v1/service-providers', { body });
    expectFault(answer, 422, 'validation', '/timeoutMs');
    expectFault(answer, 422, 'validation', '/channels/0/uri');
  });

  test('BCL-23 the identity provider gets a key for an algorithm that is new to it', async () => {
    const { id } = await newIdp();
    await newSp(id, {}, { signingAlg: 'EdDSA' });
    const sp = await newSp(id);
    const body = { ...spBody(id, { id: undefined, idp: undefined }, { signingAlg: 'PS256' }) };
    expect((await registry.call('PUT', `/v1/service-providers/${sp.id}`, { body })).status).toBe(200);
    const keys = await registry.call('GET', `/v1/identity-providers/${id}/keys`);
    expect(keys.json.items.map((key: { alg: string }) => key.alg).sort()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256']);
  });

  test('are replaced, but keep their identity provider', async () => {
    const { id: idp } = await shared();
    const other = await newIdp();
    const sp = await newSp(idp, { mayEndRoot: false, timeoutMs: 500 });
    const body = spBody(idp, { id: sp.id, name: 'New', layer: 'gateway' });
    const answer = await registry.call('PUT', `/v1/service-providers/${sp.id}`, { body });
    expect(answer.json).toMatchObject({ id: sp.id, name: 'New', layer: 'gateway', mayEndRoot: true, timeoutMs: null });
    expect((await registry.call('GET', `/v1/service-providers/${sp.id}`)).json).toEqual(answer.json);
    expectFault(
      await registry.call('PUT', `/v1/service-providers/${sp.id}`, { body: { ...body, idp: other.id } }),
      422,
      'validation',
      '/idp',
      other.id,
    );
  });

  test('an unknown one is 404 for every method', async () => {
    const { id: idp } = await shared();
    for (const id of ['nobody', 'a%00b']) {
      const body = spBody(idp, { id: undefined });
      expectFault(await registry.call('GET', `/v1/service-providers/${id}`), 404, 'not_found');
      expectFault(await registry.call('PUT', `/v1/service-providers/${id}`, { body }), 404, 'not_found');
      expectFault(await registry.call('DELETE', `/v1/service-providers/${id}`), 404, 'not_found');
      expectFault(await registry.call('POST', `/v1/service-providers/${id}/api-keys`), 404, 'not_found');
      expectFault(await registry.call('DELETE', `/v1/service-providers/${id}/api-keys/x`), 404, 'not_found');
    }
  });
});

describe('lists', () => {
  test('page through everything once, in order, with an opaque cursor', async () => {
    const { id: idp } = await newIdp();
    const made: string[] = [];
    for (let n = 0; n < 7; n++) made.push((await newSp(idp)).id);
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const query = new URLSearchParams({ idp, limit: '3', ...(cursor === undefined ? {} : { cursor }) });
      const { json } = await registry.call('GET', `/v1/service-providers?${query.toString()}`);
      seen.push(...json.items.map((sp: { id: string }) => sp.id));
      cursor = json.nextCursor;
      pages++;
      // One that comes in the middle does not disturb.
      if (pages === 1) await newSp(idp, { id: `A-first-${Date.now()}` });
    } while (cursor !== undefined);
    expect(pages).toBe(3);
    expect(seen).toHaveLength(7);
    expect([...seen].sort()).toEqual([...made].sort());
  });

  test('identity providers page, too', async () => {
    await newIdp();
    await newIdp();
    const first = await registry.call('GET', '/v1/identity-providers?limit=1');
    const second = await registry.call('GET', `/v1/identity-providers?limit=1&cursor=${first.json.nextCursor}`);
    expect(first.json.items).toHaveLength(1);
    expect(second.json.items[0].id).not.toBe(first.json.items[0].id);
  });

  test.each([
    ['limit=0', '/limit'],
    ['limit=201', '/limit'],
    ['limit=x', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['cursor=zzz', '/cursor'],
    ['cursor=', '/cursor'],
    ['colour=red', '/colour'],
    ['__proto__=1', '/__proto__'],
  ])('refuse ?%s', async (query, field) => {
    expectFault(await registry.call('GET', `/v1/identity-providers?${query}`), 422, 'validation', field);
    expectFault(await registry.call('GET', `/v1/service-providers?${query}`), 422, 'validation', field);
  });
});

describe('logout keys', () => {
  const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1') => key.export({ format: 'pem', type: type }) as string;
  const rsa = (bits = 2048) => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
  const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' }) as Record<string, unknown>;

  test.each<[string, () => Record<string, unknown>, SigningAlg]>([
    ['a JWK of EC P-256', () => ({ jwk: { ...jwkOf(ec()), kid: 'the-idp-1' } }), 'ES256'],
    ['a JWK of RSA with alg PS256', () => ({ jwk: { ...jwkOf(rsa()), alg: 'PS256' }, kid: 'the-idp-2' }), 'PS256'],
    ['a JWK of Ed25519', () => ({ jwk: jwkOf(generateKeyPairSync('ed25519').privateKey) }), 'EdDSA'],
    ['a PEM of PKCS#8', () => ({ pem: pem(rsa(), 'pkcs8'), kid: 'the-idp-3' }), 'RS256'],
    ['a PEM of SEC 1', () => ({ pem: pem(ec(), 'sec1') }), 'ES256'],
    ['a PEM of PKCS#1', () => ({ pem: pem(rsa(), 'pkcs1') }), 'RS256'],
  ])('%s is imported, signs at once and is published', async (_, body, alg) => {
    const { id } = await newIdp();
    const request = body();
    const answer = await registry.call('POST', `/v1/identity-providers/${id}/keys`, { body: request });
    expect(answer.text).toContain('"origin":"imported"');
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ alg, use: 'sig', origin: 'imported' });
    if (request['kid']) expect(answer.json.kid).toBe(request['kid']);
    const signer = await registry.app.get(LogoutKeys).signerFor(id, alg);
    expect(signer.kid).toBe(answer.json.kid);
    expect(signer.privateKey.extractable).toBe(false);
    const token = await new SignJWT({ iss: signer.issuer }).setProtectedHeader({ alg, kid: signer.kid }).sign(signer.privateKey);
    await jwtVerify(token, createRemoteJWKSet(new URL(`${registry.url}/idps/${id}/jwks.json`)), { issuer: signer.issuer });
  });

  test.each<[string, () => Record<string, unknown>, string, RegExp]>([
    ['neither JWK nor PEM', () => ({}), '/jwk', /exactly one/],
    ['both', () => ({ jwk: jwkOf(ec()), pem: pem(ec(), 'pkcs8') }), '/jwk', /exactly one/],
    ['a public JWK', () => ({ jwk: RSA_PUBLIC }), '/jwk', /private/],
    ['a weak RSA key', () => ({ pem: pem(rsa(1024), 'pkcs8') }), '/pem', /2048.*1024/],
    [
      'a curve of no algorithm here',
      () => ({ pem: pem(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey, 'pkcs8') }),
      '/pem',
      /P-256/,
    ],
    ['an alg that the key cannot do', () => ({ jwk: jwkOf(ec()), alg: 'RS256' }), '/alg', /ES256/],
    ['a symmetric key', () => ({ jwk: { kty: 'oct', k: 'c2VjcmV0', d: 'x' } }), '/jwk', /RSA, EC or OKP/],
    ['a public PEM', () => ({ pem: generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }) }), '/pem', /private/],
    [
      'an encrypted PEM',
      () => ({ pem: ec().export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }) }),
      '/pem',
      /decrypt/,
    ],
    ['rubbish', () => ({ pem: 'not a key' }), '/pem', /PKCS#8/],
    ['halves of two keys', () => ({ jwk: { ...jwkOf(ec()), d: jwkOf(ec())['d'] } }), '/jwk', /belong together|complete/],
    ['a key for encryption', () => ({ jwk: { ...jwkOf(ec()), use: 'enc' } }), '/jwk/use', /sig/],
    ['a kid with spaces', () => ({ jwk: jwkOf(ec()), kid: 'a b' }), '/kid', /printable/],
  ])('%s is refused, and no part of it shown', async (_, body, field, rule) => {
    const { id } = await shared();
    const request = body();
    const answer = await registry.call('POST', `/v1/identity-providers/${id}/keys`, { body: request });
    expectFault(answer, 422, 'validation', field, undefined, rule);
    const secret = (request['jwk'] as JWK | undefined)?.d ?? (request['pem'] as string | undefined)?.split('\n')[1];
    if (secret !== undefined && secret.length > 10) expect(answer.text).not.toContain(secret);
  });

  test('a kid that is taken is 409; another identity provider may use it', async () => {
    const [one, two] = [await newIdp(), await newIdp()];
    const body = { jwk: jwkOf(ec()), kid: '1' };
    expect((await registry.call('POST', `/v1/identity-providers/${one.id}/keys`, { body })).status).toBe(201);
    expectFault(
      await registry.call('POST', `/v1/identity-providers/${one.id}/keys`, { body: { ...body, jwk: jwkOf(ec()) } }),
      409,
      'conflict',
      '/kid',
      '1',
    );
    expect((await registry.call('POST', `/v1/identity-providers/${two.id}/keys`, { body: { ...body, jwk: jwkOf(ec()) } })).status).toBe(
      201,
    );
  });

  test('a rotation publishes the new key at once and signs with the old one until the overlap has passed', async () => {
    const { id } = await newIdp();
    const before = await registry.app.get(LogoutKeys).signerFor(id, 'ES256');
    const answer = await registry.call('POST', `/v1/identity-providers/${id}/keys/rotate`, {
      body: { alg: 'ES256', overlapSeconds: 3600 },
    });
    expect(answer.status).toBe(201);
    expect(answer.json.items).toHaveLength(1);
    const [fresh] = answer.json.items;
    expect(Date.parse(fresh.signsFrom) - Date.parse(fresh.createdAt)).toBe(3_600_000);
    const { json } = await registry.call('GET', `/idps/${id}/jwks.json`, { token: null });
    expect(json.keys.map((key: JWK) => key.kid)).toEqual(expect.arrayContaining([before.kid, fresh.kid, 'upstream-1']));
    expect((await registry.app.get(LogoutKeys).signerFor(id, 'ES256')).kid).toBe(before.kid);
  });

  test('a rotation without overlap takes a compromised key away at once', async () => {
    const { id } = await newIdp();
    const before = await registry.app.get(LogoutKeys).signerFor(id, 'RS256');
    const answer = await registry.call('POST', `/v1/identity-providers/${id}/keys/rotate`, { body: { overlapSeconds: 0 } });
    expect(answer.json.items.map((key: { alg: string }) => key.alg).sort()).toEqual(['ES256', 'RS256']);
    const after = await registry.app.get(LogoutKeys).signerFor(id, 'RS256');
    expect(after.kid).not.toBe(before.kid);
    const { json } = await registry.call('GET', `/idps/${id}/jwks.json`, { token: null });
    expect(json.keys.map((key: JWK) => key.kid)).not.toContain(before.kid);
  });

  test('a rotation of an algorithm without keys is 404, of an unknown one 422', async () => {
    const { id } = await shared();
    expectFault(await registry.call('POST', `/v1/identity-providers/${id}/keys/rotate`, { body: { alg: 'ECDH-ES' } }), 404, 'not_found');
    expectFault(
      await registry.call('POST', `/v1/identity-providers/${id}/keys/rotate`, { body: { alg: 'HS256' } }),
      422,
      'validation',
      '/alg',
      'HS256',
    );
    expectFault(
      await registry.call('POST', `/v1/identity-providers/${id}/keys/rotate`, { body: { overlapSeconds: -1 } }),
      422,
      'validation',
      '/overlapSeconds',
      -1,
    );
  });
});

describe('published keys', () => {
  test("the identity provider's own keys and ours, public members only, cacheable, with an ETag", async () => {
    peer.answer('/jwks', { keys: [{ ...RSA_PUBLIC, d: 'an-accident-of-the-provider' }] });
    const { id } = await newIdp({}, { jwks: undefined, jwksUri: `${peer.url}/jwks` });
    const answer = await registry.call('GET', `/idps/${id}/jwks.json`, { token: null });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    expect(answer.json.keys).toHaveLength(3);
    expect(answer.json.keys[0]).toEqual(RSA_PUBLIC);
    expect(answer.text).not.toContain('accident');
    const etag = answer.headers.get('etag')!;
    const again = await registry.call('GET', `/idps/${id}/jwks.json`, { token: null, headers: { 'if-none-match': `"x", W/${etag}` } });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
  });

  test('found by discovery when neither jwks nor jwksUri is given', async () => {
    peer.answer('/realm/.well-known/openid-configuration', { issuer: `${peer.url}/realm`, jwks_uri: `${peer.url}/realm-jwks` });
    peer.answer('/realm-jwks', { keys: [RSA_PUBLIC] });
    const { id } = await newIdp({}, { jwks: undefined, issuer: `${peer.url}/realm` });
    const { json } = await registry.call('GET', `/idps/${id}/jwks.json`, { token: null });
    expect(json.keys[0]).toEqual(RSA_PUBLIC);
  });

  test('when the own keys cannot be had, an error instead of half a set, and no storm of requests', async () => {
    const { id } = await newIdp({}, { jwks: undefined, jwksUri: `${peer.url}/gone` });
    const before = peer.requests.length;
    for (let n = 0; n < 10; n++) {
      expectFault(await registry.call('GET', `/idps/${id}/jwks.json`, { token: null }), 502, 'bad_upstream');
    }
    expect(peer.requests.length - before).toBe(1);
  });

  test('a key that the identity provider has, too, is there once', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const own = { ...key.publicKey.export({ format: 'jwk' }), kid: 'shared' };
    const { id } = await newIdp({}, { jwks: { keys: [own] } });
    await registry.call('POST', `/v1/identity-providers/${id}/keys`, {
      body: { jwk: key.privateKey.export({ format: 'jwk' }), kid: 'shared' },
    });
    const { json } = await registry.call('GET', `/idps/${id}/jwks.json`, { token: null });
    expect(json.keys.filter((jwk: JWK) => jwk.kid === 'shared')).toEqual([own]);
  });

  test('the kid of another key of the identity provider is refused at import', async () => {
    const { id } = await newIdp();
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const answer = await registry.call('POST', `/v1/identity-providers/${id}/keys`, { body: { jwk, kid: 'upstream-1' } });
    expectFault(answer, 409, 'conflict', '/kid', 'upstream-1', /another key/);
  });

  test('BCL-33 keys for encryption to us are published for the provider alone', async () => {
    const { id } = await newIdp({}, { encryption: { alg: 'RSA-OAEP-256', enc: 'A256GCM' } });
    const { json } = await registry.call('GET', `/idps/${id}/rp-jwks.json`, { token: null });
    expect(json.keys).toEqual([expect.objectContaining({ kty: 'RSA', use: 'enc', alg: 'RSA-OAEP-256' })]);
    const signing = await registry.call('GET', `/idps/${id}/jwks.json`, { token: null });
    expect(signing.json.keys.map((key: JWK) => key.use)).not.toContain('enc');
    const none = await newIdp();
    expect((await registry.call('GET', `/idps/${none.id}/rp-jwks.json`, { token: null })).json).toEqual({ keys: [] });
  });
});

test('the OpenAPI document describes every route of the registry from the schemas that parse it', async () => {
  const { json } = await registry.call('GET', '/openapi.json', { token: null });
  expect(json.openapi).toBe('3.1.0');
  const routes = Object.entries(json.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(routes.sort()).toEqual(
    [
      'delete /v1/identity-providers/{id}',
      'delete /v1/identity-providers/{id}/api-keys/{keyId}',
      'delete /v1/service-providers/{id}',
      'delete /v1/service-providers/{id}/api-keys/{keyId}',
      'get /idps/{id}/jwks.json',
      'get /idps/{id}/rp-jwks.json',
      'get /idps/{id}/saml/metadata',
      'get /idps/{id}/saml/sp-metadata',
      'get /v1/identity-providers',
      'get /v1/identity-providers/{id}',
      'get /v1/identity-providers/{id}/api-keys',
      'get /v1/identity-providers/{id}/keys',
      'get /v1/identity-providers/{id}/saml-keys',
      'get /v1/identity-providers/{id}/saml/metadata',
      'post /v1/identity-providers/{id}/saml/refresh',
      'get /v1/service-providers/{id}/saml/metadata',
      'post /v1/service-providers/{id}/saml/refresh',
      'get /v1/service-providers',
      'get /v1/service-providers/{id}',
      'get /v1/service-providers/{id}/api-keys',
      'post /idps/{id}/saml/acs',
      'post /v1/identity-providers',
      'post /v1/identity-providers/{id}/api-keys',
      'post /v1/identity-providers/{id}/keys',
      'post /v1/identity-providers/{id}/keys/rotate',
      'post /v1/identity-providers/{id}/saml-keys',
      'post /v1/identity-providers/{id}/saml-keys/rotate',
      'post /v1/service-providers',
      'post /v1/service-providers/{id}/api-keys',
      'put /v1/identity-providers/{id}',
      'put /v1/service-providers/{id}',
    ].sort(),
  );
  const body = json.paths['/v1/service-providers'].post.requestBody.content['application/json'].schema;
  expect(body).toEqual({ $ref: '#/components/schemas/ServiceProviderRegistration' });
  expect(json.components.schemas.ServiceProviderRegistration.properties.maxConcurrency).toBeDefined();
  // Every reference leads somewhere.
  for (const [, name] of JSON.stringify(json).matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)) {
    expect(Object.keys(json.components.schemas)).toContain(name);
  }
});

test('no response and no log line of all this had a private key or an API key but the one that was shown once', async () => {
  const secrets = await registry.privateValues();
  expect(secrets.length).toBeGreaterThan(50);
  const all = registry.emitted.join('\n');
  expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  expect(all).not.toMatch(/PRIVATE KEY/);
  const shown = registry.emitted.filter((text) => text.includes('"apiKey":"exk_')).length;
  expect(all.match(/exk_[0-9a-f]{20}_/g)).toHaveLength(shown);
});
