import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import type { JSONWebKeySet, JWK } from 'jose';
import { eventually, startService } from '../support/service.js';
import type { Service } from '../support/service.js';
import { describeWith } from './describe-with.js';
import { judge } from './judge.js';
import type { Case } from './judge.js';
import { opKey, publicHalf } from './op.js';
import { jwcrypto } from './products.js';
import { startTokenSink } from './token-sink.js';
import type { TokenSink } from './token-sink.js';

const IDP = 'acme';
const ISSUER = 'https://login.acme.example';
const SIGNATURES = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
const ENCRYPTIONS = [
  { alg: 'RSA-OAEP-256', enc: 'A256GCM', signed: 'RS256' },
  { alg: 'ECDH-ES+A256KW', enc: 'A128CBC-HS256', signed: 'ES256' },
] as const;
const encrypted = ({ alg }: (typeof ENCRYPTIONS)[number]) => `to-${alg.replace('+', '-')}`;

let service: Service;
let sink: TokenSink;
let jwks: JSONWebKeySet;
let importedKey: JWK;
const clientKeys = {} as Record<string, JWK>;

/** Every token was posted by the running service to an application, for a logout that went through the whole of it. */
describeWith(jwcrypto, 'jwcrypto', () => {
  beforeAll(async () => {
    [service, sink] = await Promise.all([startService(), startTokenSink()]);
    importedKey = await opKey('imported', 'RS256');
    const own = await opKey('op-1', 'ES256');
    await post('/v1/identity-providers', 201, {
      id: IDP,
      name: IDP,
      oidc: { issuer: ISSUER, jwks: { keys: [publicHalf(own), publicHalf(importedKey)] } },
    });
    for (const signingAlg of SIGNATURES) await register(signingAlg, { signingAlg });
    await register('by-user', { signingAlg: 'ES256', tell: 'user' });
    for (const encryption of ENCRYPTIONS) {
      const { alg, enc, signed } = encryption;
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const name = encrypted(encryption);
      clientKeys[name] = await exportJWK(privateKey);
      const key = { ...(await exportJWK(publicKey)), kid: 'client-1', use: 'enc', alg };
      await register(name, { signingAlg: signed, encryption: { alg, enc, jwks: { keys: [key] } } });
    }
    await logOutEverywhere();
    jwks = (await (await fetch(`${service.url}/idps/${IDP}/jwks.json`)).json()) as JSONWebKeySet;
  }, 60_000);

  afterAll(async () => {
    await sink?.close();
    await service?.stop();
  });

  it.each(SIGNATURES)('BCL-10 to BCL-23 verifies what is signed with %s by a key of the published set', (alg) => {
    const { header, claims } = judge(caseOf(alg, alg));
    expect(Object.keys(header).sort()).toEqual(['alg', 'kid', 'typ']);
    expect(claims).toMatchObject({ sub: 'ada', sid: `sid at ${alg}` });
  });

  it('BCL-17 finds no sid in what is told of the user', () => {
    const { claims } = judge(caseOf('by-user', 'ES256'));
    expect(claims).toMatchObject({ sub: 'ada' });
    expect(claims).not.toHaveProperty('sid');
  });

  it.each(ENCRYPTIONS)('BCL-24 decrypts what is encrypted with $alg and $enc, and verifies what is in it', (encryption) => {
    const { outer, claims } = judge(caseOf(encrypted(encryption), encryption.signed, encryption));
    expect(outer).toMatchObject({ kid: 'client-1', iss: ISSUER });
    expect(claims).toMatchObject({ sub: 'ada', sid: `sid at ${encrypted(encryption)}` });
  });

  it('BCL-14 finds no jti twice', () => {
    const plain = [...SIGNATURES, 'by-user'].map((sp) => judge(caseOf(sp, sp === 'by-user' ? 'ES256' : sp)).claims.jti);
    const nested = ENCRYPTIONS.map((one) => judge(caseOf(encrypted(one), one.signed, one)).claims.jti);
    expect(new Set([...plain, ...nested]).size).toBe(plain.length + nested.length);
  });

  it('BCL-23 verifies what is signed with an imported key, by the public half that the OP publishes itself', async () => {
    await post(`/v1/identity-providers/${IDP}/keys`, 201, { jwk: importedKey });
    await eventually(logOutEverywhere, () => judge(caseOf('RS256', 'RS256')).header.kid === 'imported');
    expect(judge({ ...caseOf('RS256', 'RS256'), jwks: { keys: [publicHalf(importedKey)] } }).claims).toMatchObject({ iss: ISSUER });
  });

  describe('is no rubber stamp: it refuses', () => {
    const changed = (token: string, part: number) =>
      token
        .split('.')
        .map((text, i) => (i === part ? (text.startsWith('A') ? 'B' : 'A') + text.slice(1) : text))
        .join('.');

    it.each<[string, (good: Case) => Partial<Case>, RegExp]>([
      ['a changed signature', ({ token }) => ({ token: changed(token, 2) }), /InvalidJWSSignature/],
      ['another issuer', () => ({ issuer: `${ISSUER}/` }), /BCL-10/],
      ['another audience', () => ({ audience: 'RS256' }), /BCL-11/],
      ['another algorithm', () => ({ alg: 'RS256' }), /InvalidJWSOperation|BCL-23|InvalidJWSSignature/],
      ['a key set without the key', () => ({ jwks: { keys: [publicHalf(importedKey)] } }), /BCL-23: 0 keys/],
    ])('%s', (_, change, why) => {
      const good = caseOf('ES256', 'ES256');
      expect(() => judge({ ...good, ...change(good) })).toThrow(why);
    });

    it('a token that was encrypted to somebody else', async () => {
      const [encryption] = ENCRYPTIONS;
      const { privateKey } = await generateKeyPair(encryption.alg, { extractable: true });
      const given = caseOf(encrypted(encryption), encryption.signed, encryption);
      given.decryption!.key = await exportJWK(privateKey);
      expect(() => judge(given)).toThrow(/InvalidJWEData/);
    });
  });
});

async function post<Body>(path: string, status: number, body: unknown): Promise<Body> {
  const answer = await service.call('POST', path, body);
  expect(answer).toMatchObject({ status });
  return answer.body as Body;
}

const registered: string[] = [];

async function register(id: string, more: object): Promise<void> {
  const channel = { type: 'oidc-backchannel', clientId: `client of ${id}`, uri: sink.uri(id), ...more };
  await post('/v1/service-providers', 201, { id, name: id, idp: IDP, layer: 'sp', channels: [channel] });
  registered.push(id);
}

let logins = 0;

/** A login at all applications, and its end. */
async function logOutEverywhere(): Promise<void> {
  const sid = `session-${++logins}`;
  const joins = registered.map((sp) => ({
    id: `${sid}-${sp}`,
    type: 'session.joined',
    idp: IDP,
    parent: { sid },
    sp,
    handles: { sid: `sid at ${sp}`, sub: 'ada' },
  }));
  const started = { id: sid, type: 'session.started', idp: IDP, handles: { sid, sub: 'ada' } };
  const { results } = await post<{ results: { status: string }[] }>('/v1/events', 202, { events: [started, ...joins] });
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['accepted']));
  const { id } = await post<{ id: string }>('/v1/logouts', 202, { target: { idp: IDP, sid }, cause: 'admin', reason: 'to be judged' });
  const { body } = await eventually(
    () => service.call('GET', `/v1/logouts/${id}`),
    ({ body: logout }) => logout.verdict !== 'pending',
  );
  expect(body).toMatchObject({ verdict: 'complete', counts: { total: registered.length, confirmed: registered.length } });
}

/** The newest token of that application. */
function caseOf(sp: string, alg: string, encryption?: { alg: string; enc: string }): Case {
  return {
    token: sink.tokensOf(sp).at(-1)!,
    jwks,
    alg,
    issuer: ISSUER,
    audience: `client of ${sp}`,
    ...(encryption && { decryption: { key: clientKeys[sp]!, alg: encryption.alg, enc: encryption.enc } }),
  };
}
