import 'reflect-metadata';
import { request as httpRequest } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CompactEncrypt, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { TakeEvents } from '#coordinator';
import { configSchema } from '#platform/config';
import { Database } from '#platform/database';
import { createHttpApp } from '#platform/http';
import { MasterKey } from '#platform/keys';
import { createLogger, Metrics } from '#platform/telemetry';
import { ensureAttemptPartitions } from '#ledger';
import { IdentityProviders, identityProviderSchema, PublishedKeys } from '#registry';
import { AppModule } from '../../src/app.module.js';
import { type FreshDatabase, freshDatabase } from '../support/postgres.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const FORM = 'application/x-www-form-urlencoded';

interface Op {
  id: string;
  issuer: string;
  audience: string;
  alg: string;
  kid: string;
  privateKey: CryptoKey;
}

let fresh: FreshDatabase;
let app: NestFastifyApplication;
let url: string;
let database: Database;
let lines: string[];
let op: Op;
let other: Op;
let encrypting: Op;
let next = 0;
const unique = (name: string) => `${name}-${(next += 1)}`;

beforeAll(async () => {
  fresh = await freshDatabase();
  lines = [];
  const config = configSchema.parse({ role: 'api', database: { url: fresh.url }, server: { protocolRateLimitPerMinute: 100_000 } });
  const logger = createLogger({ level: 'trace', stream: { write: (line: string) => void lines.push(line) } });
  const masterKey = MasterKey.fromText(MasterKey.generateText());
  const parts = { config, databaseUrl: fresh.url, masterKey, logger, metrics: new Metrics({ processMetrics: false }) };
  app = await createHttpApp(AppModule.forRole('api', parts), { config, logger });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  database = app.get(Database, { strict: false });
  await ensureAttemptPartitions(database, new Date());
  op = await registerOp('op-one', {});
  other = await registerOp('op-two', { signingAlg: 'ES256' });
  encrypting = await registerOp('op-encrypting', { encryption: { alg: 'RSA-OAEP-256', enc: 'A256GCM' } });
  await registerOp('op-that-has-no-audience', { audience: undefined });
});

afterAll(async () => {
  await app.close();
  await fresh.drop();
});

async function registerOp(id: string, oidc: { signingAlg?: string; audience?: undefined; encryption?: object }): Promise<Op> {
  const alg = oidc.signingAlg ?? 'RS256';
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const kid = `${id}-key`;
  const made = { id, issuer: `https://${id}.example.com`, audience: `exeunt-at-${id}`, alg, kid, privateKey };
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] };
  const registration = { id, name: id, oidc: { issuer: made.issuer, audience: made.audience, jwks, ...oidc } };
  await app.get(IdentityProviders, { strict: false }).create(identityProviderSchema.parse(registration), async () => null);
  return made;
}

type Claims = Record<string, unknown>;

function tokenOf(from: Op, claims: Claims, header: Claims = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: from.issuer, aud: from.audience, iat: now, exp: now + 120, jti: unique('jti'), events: { [EVENT]: {} }, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: from.alg, kid: from.kid, typ: 'logout+jwt', ...header }).sign(from.privateKey);
}

const send = (idp: string, init: RequestInit = {}) =>
  fetch(`${url}/oidc/backchannel-logout/${idp}`, { method: 'POST', redirect: 'manual', ...init });
const form = (body: string): RequestInit => ({ headers: { 'content-type': FORM }, body });
const post = (to: Op, token: string) => send(to.id, form(`logout_token=${token}`));

async function login(at: Op, handles: { sid?: string; sub?: string }): Promise<string> {
  const event = { id: unique('event'), type: 'session.started', idp: at.id, handles, expiresAt: null, idleTimeoutSeconds: null } as const;
  const [result] = await app.get(TakeEvents, { strict: false }).take(at.id, [event]);
  expect(result).toMatchObject({ status: 'accepted' });
  const [row] = await database.query<{ id: string }>('SELECT id FROM sessions WHERE idp_id = $1 AND sid = $2', [at.id, handles.sid]);
  return row!.id;
}

async function stateOf(session: string): Promise<string | undefined> {
  const [row] = await database.query<{ state: string }>('SELECT state FROM sessions WHERE id = $1', [session]);
  return row?.state;
}

async function expectDone(response: Response): Promise<void> {
  expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '' });
  expect(response.headers.get('cache-control')).toBe('no-store');
}

async function expectRefused(response: Response, description?: RegExp): Promise<void> {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 400 });
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('content-type')).toMatch(/^application\/json(;|$)/);
  const body = JSON.parse(text) as { error: string; error_description: string };
  expect(Object.keys(body).sort()).toEqual(['error', 'error_description']);
  expect(body.error).toBe('invalid_request');
  if (description) expect(body.error_description).toMatch(description);
}

describe('OLT-1: a valid token', () => {
  it('BCL-45, BCL-48, BCL-51 ends the session it names; the answer is exactly 200, empty, never stored', async () => {
    const sid = unique('sid');
    const session = await login(op, { sid, sub: 'user-a' });
    const second = await login(op, { sid: unique('sid'), sub: 'user-a' });
    await expectDone(await post(op, await tokenOf(op, { sid })));
    expect([await stateOf(session), await stateOf(second)]).toEqual(['ended', 'live']);
  });

  it('BCL-17 ends every session of the user when it names no session', async () => {
    const sessions = [await login(op, { sid: unique('sid'), sub: 'user-b' }), await login(op, { sid: unique('sid'), sub: 'user-b' })];
    const stranger = await login(op, { sid: unique('sid'), sub: 'user-c' });
    await expectDone(await post(op, await tokenOf(op, { sub: 'user-b' })));
    expect(await Promise.all([...sessions, stranger].map(stateOf))).toEqual(['ended', 'ended', 'live']);
  });

  it('BCL-52 keeps the logout in the ledger before it answers', async () => {
    const sid = unique('sid');
    await login(op, { sid, sub: 'user-d' });
    const count = async () => (await database.query<{ n: string }>('SELECT count(*) AS n FROM logouts'))[0]!.n;
    const before = Number(await count());
    await expectDone(await post(op, await tokenOf(op, { sid })));
    expect(Number(await count())).toBe(before + 1);
  });

  it('BCL-32 is taken beside parameters that mean nothing', async () => {
    const token = await tokenOf(op, { sid: unique('sid') });
    await expectDone(await send(op.id, form(`ignored_parameter=1&logout_token=${token}&ignored_parameter=2`)));
    await expectDone(
      await send(op.id, {
        headers: { 'content-type': `${FORM}; charset=utf-8` },
        body: `logout_token=${await tokenOf(op, { sid: unique('sid') })}`,
      }),
    );
  });

  it('BCL-53 needs neither cookie nor credentials, and is not moved by those it is given', async () => {
    const token = await tokenOf(op, { sid: unique('sid') });
    await expectDone(
      await send(op.id, {
        headers: { 'content-type': FORM, authorization: 'Bearer nothing', cookie: 'a=b', origin: 'https://evil.example.com' },
        body: `logout_token=${token}`,
      }),
    );
  });

  it('BCL-33 is taken when it is nested as agreed, and refused in the clear', async () => {
    const { json } = await app.get(PublishedKeys, { strict: false }).relyingPartyJwks(encrypting.id);
    const { keys } = JSON.parse(json) as { keys: JWK[] };
    const jwk = keys.find((key) => key.use === 'enc')!;
    const header = { alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', iss: encrypting.issuer, kid: jwk.kid };
    const sid = unique('sid');
    const session = await login(encrypting, { sid, sub: 'user-e' });
    const token = await tokenOf(encrypting, { sid });
    await expectRefused(await post(encrypting, token), /must be encrypted/);
    expect(await stateOf(session)).toBe('live');
    const nested = await new CompactEncrypt(Buffer.from(token)).setProtectedHeader(header).encrypt(await importJWK(jwk, 'RSA-OAEP-256'));
    await expectDone(await post(encrypting, nested));
    expect(await stateOf(session)).toBe('ended');
  });
});

describe('OLT-7, OLT-8: copies, strangers, unknown sessions', () => {
  it('BCL-42 refuses the second copy of a token', async () => {
    const token = await tokenOf(op, { sid: unique('sid') });
    await expectDone(await post(op, token));
    await expectRefused(await post(op, token), /jti was already received/);
  });

  it('BCL-42 carries out exactly one of copies that come at once', async () => {
    const sid = unique('sid');
    const session = await login(op, { sid, sub: 'user-f' });
    const token = await tokenOf(op, { sid });
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await post(op, token)).status));
    expect(statuses.sort()).toEqual([200, 400, 400, 400, 400, 400, 400, 400]);
    expect(await stateOf(session)).toBe('ended');
  });

  it('BCL-42 does not use up a jti by a token whose signature is wrong', async () => {
    const jti = unique('jti');
    const { privateKey } = await generateKeyPair('RS256');
    await expectRefused(await post(op, await tokenOf({ ...op, privateKey }, { sid: 'x', jti })), /signature/);
    await expectDone(await post(op, await tokenOf(op, { sid: unique('sid'), jti })));
  });

  it('BCL-42 keeps the jti of two issuers apart', async () => {
    const jti = unique('jti');
    await expectDone(await post(op, await tokenOf(op, { sid: unique('sid'), jti })));
    await expectDone(await post(other, await tokenOf(other, { sid: unique('sid'), jti })));
  });

  it('BCL-20 does not let one issuer end the session of another that has the same sid', async () => {
    const sid = unique('sid');
    const mine = await login(op, { sid, sub: 'user-g' });
    const theirs = await login(other, { sid, sub: 'user-g' });
    await expectDone(await post(other, await tokenOf(other, { sid, sub: 'user-g' })));
    expect([await stateOf(mine), await stateOf(theirs)]).toEqual(['live', 'ended']);
  });

  it('BCL-34 does not take the token of one issuer at the path of another', async () => {
    const sid = unique('sid');
    const session = await login(op, { sid, sub: 'user-h' });
    await expectRefused(await post(op, await tokenOf(other, { sid })), /alg must be RS256/);
    await expectRefused(
      await post(op, await tokenOf({ ...other, alg: 'RS256', privateKey: encrypting.privateKey }, { sid })),
      /no such key/,
    );
    await expectRefused(await post(op, await tokenOf({ ...op, issuer: other.issuer }, { sid })), /iss must be/);
    expect(await stateOf(session)).toBe('live');
  });

  it('BCL-43, OLT-8 takes an unknown session, an unknown user and an ended session for done', async () => {
    await expectDone(await post(op, await tokenOf(op, { sid: unique('sid') })));
    await expectDone(await post(op, await tokenOf(op, { sub: unique('sub') })));
    const sid = unique('sid');
    await login(op, { sid, sub: 'user-i' });
    await expectDone(await post(op, await tokenOf(op, { sid })));
    await expectDone(await post(op, await tokenOf(op, { sid })));
  });
});

describe('OLT-9, OLT-10: requests that are not as they must be', () => {
  it.each<[string, () => Promise<RequestInit>, RegExp]>([
    [
      'JSON',
      async () => ({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ logout_token: await tokenOf(op, { sid: 'x' }) }),
      }),
      /content type must be application\/x-www-form-urlencoded/,
    ],
    ['JSON that is broken', async () => ({ headers: { 'content-type': 'application/json' }, body: '{' }), /JSON/],
    ['multipart', async () => ({ body: formDataOf(await tokenOf(op, { sid: 'x' })) }), /x-www-form-urlencoded/],
    [
      'plain text',
      async () => ({ headers: { 'content-type': 'text/plain' }, body: `logout_token=${await tokenOf(op, { sid: 'x' })}` }),
      /x-www-form-urlencoded/,
    ],
    ['XML', async () => ({ headers: { 'content-type': 'text/xml' }, body: '<a/>' }), /x-www-form-urlencoded/],
    ['a content type that is none', async () => ({ headers: { 'content-type': 'nonsense' }, body: 'a' }), /x-www-form-urlencoded/],
    ['no body', async () => ({}), /x-www-form-urlencoded/],
    ['an empty form', async () => form(''), /logout_token exactly once/],
    ['another parameter', async () => form('token=x'), /logout_token exactly once/],
    ['logout_token twice', async () => form(`logout_token=${await tokenOf(op, { sid: 'x' })}&logout_token=x`), /exactly once/],
    ['an empty logout_token', async () => form('logout_token='), /not empty/],
    ['no token', async () => form('logout_token=nonsense'), /signed JWT/],
    ['more than 64 KiB', async () => form(`logout_token=${'a'.repeat(64 * 1024)}`), /65536 bytes/],
    ['more than the server takes anywhere', async () => form(`logout_token=${'a'.repeat(5 * 1024 * 1024)}`), /65536 bytes/],
  ])('BCL-32, BCL-49, BCL-50, BCL-51 %s is answered with exactly 400, JSON, never stored', async (_, init, description) => {
    await expectRefused(await send(op.id, await init()), description);
  });

  it('BCL-53 stops reading a body of unknown length at 64 KiB', async () => {
    const answer = await new Promise<{ status?: number; cache?: string }>((resolve, reject) => {
      const request = httpRequest(`${url}/oidc/backchannel-logout/${op.id}`, { method: 'POST', headers: { 'content-type': FORM } });
      request.on('response', ({ statusCode, headers }) => {
        resolve({ status: statusCode, cache: headers['cache-control'] });
        request.destroy();
      });
      request.on('error', reject);
      request.write(`logout_token=${'a'.repeat(70 * 1024)}`); // and no end
    });
    expect(answer).toEqual({ status: 400, cache: 'no-store' });
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('BCL-32, OLT-9 %s is answered with exactly 400', async (method) => {
    const query = `?logout_token=${await tokenOf(op, { sid: 'x' })}`;
    await expectRefused(await send(`${op.id}${query}`, { method }), /must be a POST/);
  });

  it('BCL-49 HEAD is answered with exactly 400', async () => {
    const response = await send(op.id, { method: 'HEAD' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([400, 'no-store']);
  });

  it.each(['nobody', 'op-that-has-no-audience', 'NO%20SUCH', '..%2f..%2fetc', "'--", 'x'.repeat(200)])(
    'BCL-49 an identity provider that cannot send tokens is answered with exactly 400: %s',
    async (idp) => {
      await expectRefused(await send(idp, form(`logout_token=${await tokenOf(op, { sid: 'x' })}`)), /no issuer of logout tokens/);
    },
  );

  it.each<[string, Claims, Claims]>([
    ['BCL-41 a nonce', { nonce: null }, {}],
    ['BCL-38 an exp in the past', { exp: Math.floor(Date.now() / 1000) - 1 }, {}],
    ['BCL-36 another audience', { aud: 'somebody-else' }, {}],
    ['BCL-39 no sub and no sid', { sid: undefined }, {}],
    ['BCL-40 an ID Token', { events: undefined }, {}],
    ['BCL-40 a SET', { events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} } }, {}],
    ['BCL-44 another type', {}, { typ: 'secevent+jwt' }],
  ])('%s is answered with exactly 400, and changes nothing', async (_, claims, header) => {
    const sid = unique('sid');
    const session = await login(op, { sid, sub: 'user-j' });
    await expectRefused(await post(op, await tokenOf(op, { sid, ...claims }, header)));
    expect(await stateOf(session)).toBe('live');
  });

  it('says in the log which clause was broken, and never writes the token', async () => {
    const token = await tokenOf(op, { sid: unique('sid'), nonce: 'secret-nonce' });
    lines.length = 0;
    await expectRefused(await post(op, token));
    const line = lines.map((text) => JSON.parse(text) as Claims).find(({ msg }) => msg === 'back-channel logout refused');
    expect(line).toMatchObject({ level: 'warn', idp: op.id, code: 'nonce_present', clause: 'BCL-41' });
    for (const part of token.split('.')) expect(lines.join('')).not.toContain(part);
    expect(lines.join('')).not.toContain('secret-nonce');
  });
});

function formDataOf(token: string): FormData {
  const data = new FormData();
  data.set('logout_token', token);
  return data;
}
