import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { ApiKeys, ensureAdminToken } from '#access';
import { idpBody, spBody, startPeer, startRegistryApp } from './registry-app.js';
import type { CallOptions, Peer, RegistryApp } from './registry-app.js';

const AUDIENCE = 'https://exeunt.example.com';

let registry: RegistryApp;
let issuer: Peer;
let dead: Peer;
let signing: { privateKey: CryptoKey; publicKey: CryptoKey };
/** Two tenants, each with an identity provider and a service provider. */
const own = { idp: '', idpKey: '', sp: '', spKey: '' };
const foreign = { idp: '', idpKey: '', sp: '', spKey: '' };

beforeAll(async () => {
  [issuer, dead] = await Promise.all([startPeer(), startPeer()]);
  signing = await generateKeyPair('ES256');
  issuer.answer('/.well-known/openid-configuration', { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` });
  issuer.answer('/jwks', { keys: [{ ...(await exportJWK(signing.publicKey)), kid: 'k1', alg: 'ES256' }] });
  registry = await startRegistryApp({
    auth: {
      trustedIssuers: [
        { issuer: issuer.url, audience: AUDIENCE },
        { issuer: dead.url, audience: AUDIENCE },
      ],
    },
  });
  for (const tenant of [own, foreign]) {
    const idp = await registry.call('POST', '/v1/identity-providers', { body: idpBody() });
    const sp = await registry.call('POST', '/v1/service-providers', { body: spBody(idp.json.id) });
    Object.assign(tenant, { idp: idp.json.id, idpKey: idp.json.apiKey, sp: sp.json.id, spKey: sp.json.apiKey });
  }
});
afterAll(async () => {
  await registry?.close();
  await issuer?.close();
  await dead?.close();
});

async function statusOf(method: string, path: string, options?: CallOptions): Promise<number> {
  const answer = await registry.call(method, path, options);
  if (answer.status >= 400) expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return answer.status;
}

describe('who may call what', () => {
  const routes: { route: () => [string, string, unknown?]; idp: number; sp: number; admin: number }[] = [
    { route: () => ['POST', '/v1/identity-providers', idpBody()], admin: 201, idp: 403, sp: 403 },
    { route: () => ['GET', '/v1/identity-providers'], admin: 200, idp: 200, sp: 403 },
    { route: () => ['GET', `/v1/identity-providers/${own.idp}`], admin: 200, idp: 200, sp: 403 },
    { route: () => ['GET', `/v1/identity-providers/${foreign.idp}`], admin: 200, idp: 403, sp: 403 },
    { route: () => ['PUT', `/v1/identity-providers/${own.idp}`, idpBody({ id: own.idp })], admin: 200, idp: 403, sp: 403 },
    { route: () => ['DELETE', `/v1/identity-providers/${own.idp}`], admin: 409, idp: 403, sp: 403 },
    { route: () => ['GET', `/v1/identity-providers/${own.idp}/keys`], admin: 200, idp: 200, sp: 403 },
    { route: () => ['GET', `/v1/identity-providers/${foreign.idp}/keys`], admin: 200, idp: 403, sp: 403 },
    { route: () => ['POST', `/v1/identity-providers/${own.idp}/keys`, { pem: 'x' }], admin: 422, idp: 403, sp: 403 },
    { route: () => ['POST', `/v1/identity-providers/${own.idp}/keys/rotate`, { alg: 'ES256' }], admin: 201, idp: 403, sp: 403 },
    { route: () => ['POST', `/v1/identity-providers/${own.idp}/api-keys`], admin: 201, idp: 403, sp: 403 },
    { route: () => ['GET', `/v1/identity-providers/${own.idp}/api-keys`], admin: 200, idp: 200, sp: 403 },
    { route: () => ['GET', `/v1/identity-providers/${foreign.idp}/api-keys`], admin: 200, idp: 403, sp: 403 },
    { route: () => ['DELETE', `/v1/identity-providers/${own.idp}/api-keys/none`], admin: 404, idp: 403, sp: 403 },
    { route: () => ['POST', '/v1/service-providers', spBody(own.idp)], admin: 201, idp: 201, sp: 403 },
    { route: () => ['POST', '/v1/service-providers', spBody(foreign.idp)], admin: 201, idp: 403, sp: 403 },
    { route: () => ['GET', '/v1/service-providers'], admin: 200, idp: 200, sp: 403 },
    { route: () => ['GET', `/v1/service-providers?idp=${foreign.idp}`], admin: 200, idp: 403, sp: 403 },
    { route: () => ['GET', `/v1/service-providers/${own.sp}`], admin: 200, idp: 200, sp: 200 },
    { route: () => ['GET', `/v1/service-providers/${foreign.sp}`], admin: 200, idp: 403, sp: 403 },
    { route: () => ['GET', '/v1/service-providers/nobody'], admin: 404, idp: 404, sp: 403 },
    { route: () => ['PUT', `/v1/service-providers/${own.sp}`, spBody(own.idp, { id: own.sp })], admin: 200, idp: 200, sp: 200 },
    { route: () => ['PUT', `/v1/service-providers/${foreign.sp}`, spBody(foreign.idp, { id: foreign.sp })], admin: 200, idp: 403, sp: 403 },
    { route: () => ['DELETE', `/v1/service-providers/${own.sp}`], admin: 0, idp: 403, sp: 403 },
    { route: () => ['POST', `/v1/service-providers/${own.sp}/api-keys`], admin: 201, idp: 201, sp: 403 },
    { route: () => ['POST', `/v1/service-providers/${foreign.sp}/api-keys`], admin: 201, idp: 403, sp: 403 },
    { route: () => ['GET', `/v1/service-providers/${own.sp}/api-keys`], admin: 200, idp: 200, sp: 403 },
    { route: () => ['GET', `/v1/service-providers/${foreign.sp}/api-keys`], admin: 200, idp: 403, sp: 403 },
    { route: () => ['DELETE', `/v1/service-providers/${foreign.sp}/api-keys/none`], admin: 404, idp: 403, sp: 403 },
  ];

  test('every route, for everybody', async () => {
    const found: unknown[] = [];
    const wanted: unknown[] = [];
    for (const { route, ...statuses } of routes) {
      const [method, path] = route();
      const seen = async (token: string | null) => {
        const [, , body] = route();
        return statusOf(method, path, { token, body });
      };
      // 0: not tried, for it would take away what the others need.
      const admin = statuses.admin === 0 ? 0 : await seen(registry.admin);
      found.push({ route: `${method} ${path}`, nobody: await seen(null), sp: await seen(own.spKey), idp: await seen(own.idpKey), admin });
      wanted.push({ route: `${method} ${path}`, nobody: 401, ...statuses });
    }
    expect(found).toEqual(wanted);
  });

  test('published keys, documentation and its document are for everybody', async () => {
    for (const path of [`/idps/${own.idp}/jwks.json`, `/idps/${own.idp}/rp-jwks.json`, '/openapi.json', '/docs']) {
      expect(await statusOf('GET', path, { token: null })).toBe(200);
      expect(await statusOf('GET', path, { token: 'exk_wrong' })).toBe(200);
    }
  });

  test('an identity provider lists itself and its own service providers only', async () => {
    const idps = await registry.call('GET', '/v1/identity-providers', { token: own.idpKey });
    expect(idps.json.items.map((idp: { id: string }) => idp.id)).toEqual([own.idp]);
    const sps = await registry.call('GET', '/v1/service-providers?limit=200', { token: own.idpKey });
    expect(new Set(sps.json.items.map((sp: { idp: string }) => sp.idp))).toEqual(new Set([own.idp]));
  });

  test('a service provider may not give itself what others decide; left out, it stays', async () => {
    const locked = spBody(own.idp, { mayEndRoot: false, enabled: false, layer: 'gateway' });
    const { json } = await registry.call('POST', '/v1/service-providers', { body: locked });
    const token = json.apiKey;
    const path = `/v1/service-providers/${locked.id}`;
    for (const grant of [{ mayEndRoot: true }, { enabled: true }, { layer: 'sp' }]) {
      const answer = await registry.call('PUT', path, { token, body: { ...locked, ...grant } });
      expect(answer.status).toBe(403);
      expect(answer.json.errors[0].field).toBe(`/${Object.keys(grant)[0]}`);
    }
    const rest = { ...locked, mayEndRoot: undefined, enabled: undefined, layer: undefined };
    const kept = await registry.call('PUT', path, { token, body: { ...rest, name: 'Renamed' } });
    expect(kept.json).toMatchObject({ name: 'Renamed', mayEndRoot: false, enabled: false, layer: 'gateway' });
  });
});

describe('API keys', () => {
  test.each([
    ['no header', {}],
    ['Basic', { authorization: 'Basic YTpi' }],
    ['an empty bearer', { authorization: 'Bearer ' }],
    ['two tokens', { authorization: 'Bearer a b' }],
    ['a wrong key', { authorization: `Bearer exk_00000000000000000000_${'A'.repeat(43)}` }],
    ['a very long one', { authorization: `Bearer ${'a'.repeat(8_193)}` }],
  ])('%s is 401 with a challenge', async (_, headers) => {
    const answer = await registry.call('GET', '/v1/identity-providers', { token: null, headers });
    expect([answer.status, answer.json.type]).toEqual([401, 'urn:exeunt:problem:unauthorized']);
    expect(answer.headers.get('www-authenticate')).toBe(
      'authorization' in headers ? 'Bearer realm="exeunt", error="invalid_token"' : 'Bearer realm="exeunt"',
    );
  });

  test('a changed last character, another id, the id alone and the hash are refused', async () => {
    const [, id, secret] = /^exk_([^_]+)_(.+)$/.exec(own.idpKey)!;
    const changed = `exk_${id}_${secret!.slice(0, -1)}${secret!.endsWith('A') ? 'B' : 'A'}`;
    const hash = createHash('sha256').update(own.idpKey).digest('hex');
    for (const token of [changed, `exk_00_${secret}`, `exk_${id}_`, secret!, hash, own.idpKey.toUpperCase()]) {
      expect(await statusOf('GET', '/v1/identity-providers', { token })).toBe(401);
    }
  });

  test('strangers are refused before their body is read', async () => {
    const answer = await registry.call('POST', '/v1/identity-providers', { token: null, body: '{ not JSON' });
    expect(answer.status).toBe(401);
  });

  test('a revoked key is refused from the next request on', async () => {
    const { json } = await registry.call('POST', `/v1/service-providers/${own.sp}/api-keys`, { token: own.idpKey });
    expect(json.apiKey).toMatch(new RegExp(`^exk_${json.id}_`));
    expect(await statusOf('GET', `/v1/service-providers/${own.sp}`, { token: json.apiKey })).toBe(200);
    expect(await statusOf('DELETE', `/v1/service-providers/${foreign.sp}/api-keys/${json.id}`)).toBe(404);
    expect(await statusOf('GET', `/v1/service-providers/${own.sp}`, { token: json.apiKey })).toBe(200);
    expect(await statusOf('DELETE', `/v1/service-providers/${own.sp}/api-keys/${json.id}`, { token: own.idpKey })).toBe(204);
    expect(await statusOf('GET', `/v1/service-providers/${own.sp}`, { token: json.apiKey })).toBe(401);
    const list = await registry.call('GET', `/v1/service-providers/${own.sp}/api-keys`);
    expect(list.json.items.find((key: { id: string }) => key.id === json.id).revokedAt).toMatch(/Z$/);
    expect(list.text).not.toContain('exk_');
  });

  test('a new key may end the others, at once or after an overlap', async () => {
    const { json: made } = await registry.call('POST', '/v1/service-providers', { body: spBody(own.idp) });
    const path = `/v1/service-providers/${made.id}`;
    const second = await registry.call('POST', `${path}/api-keys`, { body: { revokeOthersAfterSeconds: 3_600 } });
    expect(await statusOf('GET', path, { token: made.apiKey })).toBe(200);
    const third = await registry.call('POST', `${path}/api-keys`, { body: { revokeOthersAfterSeconds: 0 } });
    for (const [token, status] of [
      [made.apiKey, 401],
      [second.json.apiKey, 401],
      [third.json.apiKey, 200],
    ]) {
      expect(await statusOf('GET', path, { token })).toBe(status);
    }
    expect(await statusOf('POST', `${path}/api-keys`, { body: { revokeOthersAfterSeconds: -1 } })).toBe(422);
  });
});

describe('the administrator', () => {
  test('gets a generated token once', async () => {
    expect(registry.admin).toMatch(/^exk_/);
    expect(await ensureAdminToken(registry.app.get(ApiKeys), undefined)).toBeNull();
  });

  test('a configured token works until the configuration has another, or none', async () => {
    const keys = registry.app.get(ApiKeys);
    const [first, second] = ['first-configured-token', 'second-configured-token'];
    const works = (token: string) => statusOf('GET', '/v1/identity-providers', { token });
    expect(await ensureAdminToken(keys, first)).toBeNull();
    expect(await works(first)).toBe(200);
    await Promise.all([ensureAdminToken(keys, second), ensureAdminToken(keys, second), ensureAdminToken(keys, second)]);
    expect([await works(first), await works(second)]).toEqual([401, 200]);
    expect(await ensureAdminToken(keys, undefined)).toBeNull();
    expect([await works(second), await works(registry.admin)]).toEqual([401, 200]);
  });
});

describe('JWTs of configured issuers', () => {
  interface Parts {
    header?: Record<string, unknown>;
    claims?: Record<string, unknown>;
    key?: CryptoKey | Uint8Array;
  }
  async function token({ header = {}, claims = {}, key = signing.privateKey }: Parts = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: issuer.url, aud: AUDIENCE, sub: 'alice', iat: now, exp: now + 60, scope: 'openid exeunt.admin', ...claims };
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key, { crit: { 'urn:example:new': true } });
  }
  const status = async (parts: Parts, path = '/v1/identity-providers', method = 'GET') =>
    statusOf(method, path, { token: await token(parts) });

  test('with the scope of administrators', async () => {
    expect(await status({})).toBe(200);
    expect(await status({ header: { typ: 'at+jwt' }, claims: { scope: ['exeunt.admin'] } })).toBe(200);
    expect(registry.emitted.some((line) => line.includes(`"caller":"admin:${issuer.url}#alice"`))).toBe(true);
  });

  test('with the scope of an identity provider and its claim', async () => {
    const claims = { scope: 'exeunt.idp', exeunt_idp: own.idp };
    expect(await status({ claims }, `/v1/identity-providers/${own.idp}`)).toBe(200);
    expect(await status({ claims }, `/v1/identity-providers/${foreign.idp}`)).toBe(403);
    expect(await status({ claims: { scope: 'exeunt.idp' } })).toBe(403);
    expect(await status({ claims: { scope: 'exeunt.idp', exeunt_idp: 'a\0' } })).toBe(403);
  });

  test.each<[string, () => Parts, number]>([
    ['without a scope of ours', () => ({ claims: { scope: 'openid exeunt.administrator' } }), 403],
    ['of an issuer that is not configured', () => ({ claims: { iss: 'https://elsewhere.example.com' } }), 401],
    ['of our issuer with a slash', () => ({ claims: { iss: `${issuer.url}/` } }), 401],
    ['for another audience', () => ({ claims: { aud: 'https://other.example.com' } }), 401],
    ['that has expired', () => ({ claims: { exp: Math.floor(Date.now() / 1000) - 60 } }), 401],
    ['without exp', () => ({ claims: { exp: undefined } }), 401],
    ['without sub', () => ({ claims: { sub: undefined } }), 401],
    ['from the future', () => ({ claims: { nbf: Math.floor(Date.now() / 1000) + 120 } }), 401],
    ['that is a logout token', () => ({ header: { typ: 'logout+jwt' } }), 401],
    ['that is a security event', () => ({ header: { typ: 'secevent+jwt' } }), 401],
    ['with an unknown kid', () => ({ header: { kid: 'k2' } }), 401],
    ['with an extension it says must be understood', () => ({ header: { crit: ['urn:example:new'], 'urn:example:new': 1 } }), 401],
    ['signed with a shared secret', () => ({ header: { alg: 'HS256' }, key: Buffer.alloc(32, 1) }), 401],
  ])('one %s is refused', async (_, parts, wanted) => {
    expect(await status(parts())).toBe(wanted);
  });

  test('one signed with another key, changed, or unsigned is refused', async () => {
    const other = await generateKeyPair('ES256');
    expect(await status({ key: other.privateKey })).toBe(401);
    const [header, payload, signature] = (await token()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const admin = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), sub: 'mallory' })).toString(
      'base64url',
    );
    for (const forged of [
      `${header}.${admin}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.`,
    ]) {
      expect(await statusOf('GET', '/v1/identity-providers', { token: forged })).toBe(401);
    }
  });

  test('unknown kids do not make us fetch the keys each time', async () => {
    await status({});
    const before = issuer.requests.length;
    for (let n = 0; n < 20; n++) await status({ header: { kid: `x${n}` } });
    expect(issuer.requests.length - before).toBeLessThanOrEqual(1);
  });

  test('an issuer that cannot be reached is 503, and asked once in a while only', async () => {
    const parts = { claims: { iss: dead.url } };
    const before = dead.requests.length;
    for (let n = 0; n < 5; n++) expect(await status(parts)).toBe(503);
    expect(dead.requests.length - before).toBeLessThanOrEqual(1);
  });
});

test('no key and no token is in any log line', async () => {
  const lines = registry.emitted.filter((text) => text.includes('"service":"exeunt"')).join('\n');
  expect(lines).toContain('"msg":"request"');
  expect(lines).not.toMatch(/exk_[0-9a-f]{20}_|eyJ|configured-token/);
});
