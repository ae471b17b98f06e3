import { createHmac } from 'node:crypto';
import {
  CompactEncrypt,
  CompactSign,
  type CryptoKey,
  type JWK,
  type JWTVerifyGetKey,
  base64url,
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
} from 'jose';
import type { LogoutRefusalCode, LogoutRequestRefused } from '../logout-request-refused.js';
import type { LogoutTokenAlg, NestedEncryption } from '../logout-token-terms.js';
import type { LogoutTokenExpectation } from './expectation.js';
import { LOGOUT_TOKEN_CHECKS } from './logout-token-checks.js';
import { verifyLogoutToken } from './verify-logout-token.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ALGS: LogoutTokenAlg[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const now = new Date('2026-03-04T05:06:07Z');
const at = now.getTime() / 1000;
const issuer = 'https://op.example.com';
const audience = 'our-client';

interface Pair {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  jwk: JWK;
}
const own = {} as Record<LogoutTokenAlg, Pair>;
let stranger: Pair;
let keys: JWTVerifyGetKey;

async function pairOf(alg: LogoutTokenAlg, kid: string): Promise<Pair> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { ...pair, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg } };
}

beforeAll(async () => {
  for (const alg of ALGS) own[alg] = await pairOf(alg, `key-${alg}`);
  stranger = await pairOf('RS256', 'key-of-another-issuer');
  keys = createLocalJWKSet({ keys: ALGS.map((alg) => own[alg].jwk) });
});

const validClaims = () => ({
  iss: issuer as unknown,
  aud: audience as unknown,
  iat: at - 1,
  exp: at + 119,
  jti: 'jti-1',
  sid: 'sid-1',
  sub: 'sub-1',
  events: { [EVENT]: {} },
});
type Claims = Record<string, unknown>;

const without = (name: string): Claims => Object.fromEntries(Object.entries(validClaims()).filter(([key]) => key !== name));

/** Signs any bytes with any header, as an OP would that is wrong, or wicked. */
async function sign(payload: Claims | string, header: Claims = {}, privateKey?: CryptoKey): Promise<string> {
  const alg = (header['alg'] ?? 'RS256') as LogoutTokenAlg;
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const full = { alg, kid: own[alg]?.jwk.kid, typ: 'logout+jwt', ...header };
  return new CompactSign(bytes).setProtectedHeader(full).sign(privateKey ?? own[alg].privateKey);
}

const verify = (token: string, change: Partial<LogoutTokenExpectation> = {}) =>
  verifyLogoutToken(token, {
    issuer,
    audience,
    alg: 'RS256',
    keys,
    now,
    allowMissingExp: false,
    maxAgeSeconds: 300,
    skewSeconds: 60,
    ...change,
  });

async function refusalOf(verified: Promise<unknown>): Promise<LogoutRequestRefused> {
  return verified.then(
    () => Promise.reject(new Error('it was accepted')),
    (error: LogoutRequestRefused) => error,
  );
}

async function expectRefused(verified: Promise<unknown>, clause: string, code: LogoutRefusalCode): Promise<void> {
  expect(await refusalOf(verified)).toMatchObject({ name: 'LogoutRequestRefused', clause, code, error: 'invalid_request' });
}

const encode = (value: unknown) => base64url.encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('OLT-1: valid tokens', () => {
  it.each(ALGS)('BCL-34 takes one signed with %s', async (alg) => {
    await expect(verify(await sign(validClaims(), { alg }), { alg })).resolves.toEqual({
      issuer,
      sid: 'sid-1',
      sub: 'sub-1',
      jti: 'jti-1',
      iat: at - 1,
      exp: at + 119,
      forgetAt: new Date((at + 119 + 60) * 1000),
    });
  });

  it('BCL-39 takes sub alone, and sid alone', async () => {
    await expect(verify(await sign(without('sid')))).resolves.toMatchObject({ sid: undefined, sub: 'sub-1' });
    await expect(verify(await sign(without('sub')))).resolves.toMatchObject({ sid: 'sid-1', sub: undefined });
  });

  it.each([[[audience]], [[audience, audience]]])('BCL-36 takes the audience as an array: %j', async (aud) => {
    await expect(verify(await sign({ ...validClaims(), aud }))).resolves.toMatchObject({ jti: 'jti-1' });
  });

  it('BCL-19, BCL-40 ignores further claims, events and members of the event', async () => {
    const events = { [EVENT]: { more: 1 }, 'https://example.com/other': null };
    await expect(verify(await sign({ ...validClaims(), events, trace: [1], Nonce: 'x' }))).resolves.toMatchObject({ jti: 'jti-1' });
  });

  it.each([undefined, 'JWT', 'jwt', 'logout+jwt', 'application/logout+jwt', 'Application/Logout+JWT'])(
    'BCL-44 takes typ %s',
    async (typ) => {
      await expect(verify(await sign(validClaims(), { typ }))).resolves.toMatchObject({ jti: 'jti-1' });
    },
  );

  it('BCL-37 takes an iat with a fraction, at the edge of the age and of the skew', async () => {
    for (const iat of [at - 0.5, at - 300, at + 60]) {
      await expect(verify(await sign({ ...validClaims(), iat }))).resolves.toMatchObject({ iat });
    }
  });

  it('BCL-42 need not remember a jti beyond the age at which the token is refused anyway', async () => {
    const { forgetAt } = await verify(await sign({ ...validClaims(), exp: at + 10_000_000 }));
    expect(forgetAt).toEqual(new Date((at - 1 + 300 + 60) * 1000));
  });
});

describe('OLT-2: claims that are missing or of the wrong type', () => {
  const WRONG: unknown[] = [undefined, null, 5, true, {}, [], ''];

  it.each([...WRONG, [5], [issuer]])('BCL-36 refuses iss %j', async (iss) => {
    await expectRefused(verify(await sign({ ...validClaims(), iss })), 'BCL-36', 'wrong_issuer');
  });

  it.each([...WRONG, [5], [null], { 0: audience, length: 1 }])('BCL-36 refuses aud %j', async (aud) => {
    await expectRefused(verify(await sign({ ...validClaims(), aud })), 'BCL-36', 'wrong_audience');
  });

  it.each([undefined, null, String(at), true, {}, [at], -1, 1e300])('BCL-37 refuses iat %j', async (iat) => {
    await expectRefused(verify(await sign({ ...validClaims(), iat })), 'BCL-37', 'bad_issued_at');
  });

  it.each([undefined, null, String(at + 60), true, {}, [at + 60], -1, 1e300])('BCL-38 refuses exp %j', async (exp) => {
    await expectRefused(verify(await sign({ ...validClaims(), exp })), 'BCL-38', 'bad_expiry');
  });

  it('BCL-37, BCL-38 refuses numbers that JSON.parse reads as infinite', async () => {
    const text = JSON.stringify({ ...validClaims(), exp: 'EXP' }).replace('"EXP"', '1e999');
    await expectRefused(verify(await sign(text)), 'BCL-38', 'bad_expiry');
  });

  it.each([null, 5, true, {}, [], ['jti'], '', 'a\u0000b', 'j'.repeat(513)])('BCL-42 refuses jti %j', async (jti) => {
    await expectRefused(verify(await sign({ ...validClaims(), jti })), 'BCL-42', 'bad_token_id');
  });

  it('BCL-42 refuses a token without jti', async () => {
    await expectRefused(verify(await sign(without('jti'))), 'BCL-42', 'bad_token_id');
  });

  it('BCL-39 refuses a token with neither sub nor sid', async () => {
    const { sid: _sid, sub: _sub, ...claims } = validClaims();
    await expectRefused(verify(await sign(claims)), 'BCL-39', 'bad_subject');
  });

  it.each([null, 5, false, {}, [], ['x'], '', 'a\u0000b'])('BCL-39 refuses sid or sub %j, also beside a good other one', async (value) => {
    for (const name of ['sid', 'sub']) {
      await expectRefused(verify(await sign({ ...validClaims(), [name]: value })), 'BCL-39', 'bad_subject');
    }
  });

  it('BCL-20 refuses a sid that is not printable ASCII', async () => {
    await expectRefused(verify(await sign({ ...validClaims(), sid: 'sïd' })), 'BCL-39', 'bad_subject');
    await expect(verify(await sign({ ...validClaims(), sub: 'zoë@example.com' }))).resolves.toMatchObject({ sub: 'zoë@example.com' });
  });

  it.each([
    undefined,
    null,
    'logout',
    5,
    [],
    {},
    [EVENT],
    [{ [EVENT]: {} }],
    EVENT,
    { [EVENT]: [] },
    { [EVENT]: null },
    { [EVENT]: '' },
    { [EVENT]: true },
    { [EVENT]: 1 },
    { [EVENT.replace('http:', 'https:')]: {} },
    { [`${EVENT}/`]: {} },
    { [EVENT.toUpperCase()]: {} },
    { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} },
  ])('BCL-40 refuses events %j', async (events) => {
    await expectRefused(verify(await sign({ ...validClaims(), events })), 'BCL-40', 'bad_event');
  });

  it.each(['[]', '"text"', '5', 'null', '', '{"iss":', '{"iss":"a","iss":"a"}'])(
    'BCL-34 refuses signed claims that are %s',
    async (text) => {
      await expectRefused(verify(await sign(text)), 'BCL-34', 'malformed_token');
    },
  );

  it('BCL-34 refuses a claim that stands twice, although the last one is good', async () => {
    const text = JSON.stringify(validClaims()).replace('{', '{"sub":"somebody-else",');
    await expectRefused(verify(await sign(text)), 'BCL-34', 'malformed_token');
  });
});

describe('OLT-3: nonce', () => {
  it.each(['n-1', '', null, 0, {}])('BCL-41 refuses the nonce %j', async (nonce) => {
    await expectRefused(verify(await sign({ ...validClaims(), nonce })), 'BCL-41', 'nonce_present');
  });
});

describe('OLT-4: algorithms and keys', () => {
  it.each(['none', 'None', 'NONE'])('BCL-35, BCL-22 refuses alg %s, with and without a signature', async (alg) => {
    const unsigned = `${encode({ alg, typ: 'logout+jwt' })}.${encode(validClaims())}.`;
    await expectRefused(verify(unsigned), 'BCL-35', 'unexpected_algorithm');
    await expectRefused(verify(`${unsigned}c2ln`), 'BCL-35', 'unexpected_algorithm');
  });

  it('BCL-35 refuses HS256 keyed with the RSA public key in any of its forms', async () => {
    const { publicKey, jwk } = own.RS256;
    const pem = await exportSPKI(publicKey);
    for (const secret of [pem, pem.trim(), JSON.stringify(jwk), jwk.n!]) {
      const input = `${encode({ alg: 'HS256', kid: jwk.kid, typ: 'logout+jwt' })}.${encode(validClaims())}`;
      const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      await expectRefused(verify(token), 'BCL-35', 'unexpected_algorithm');
    }
  });

  it.each(ALGS.flatMap((alg) => ALGS.filter((other) => other !== alg).map((other) => [other, alg] as const)))(
    'BCL-35 refuses %s, with a real key of the OP, where %s was agreed',
    async (signed, agreed) => {
      await expectRefused(verify(await sign(validClaims(), { alg: signed }), { alg: agreed }), 'BCL-35', 'unexpected_algorithm');
    },
  );

  it.each([undefined, null, 5, ['RS256'], '', 'rs256', 'RS256 '])('BCL-35 refuses alg %j', async (alg) => {
    const [, payload, signature] = (await sign(validClaims())).split('.');
    await expectRefused(verify(`${encode({ alg, kid: 'key-RS256' })}.${payload}.${signature}`), 'BCL-35', 'unexpected_algorithm');
  });

  it('BCL-35 judges the algorithm before any key is asked for', async () => {
    let asked = 0;
    const counting: JWTVerifyGetKey = (header, token) => ((asked += 1), keys(header, token));
    await expectRefused(verify(await sign(validClaims(), { alg: 'ES256' }), { keys: counting }), 'BCL-35', 'unexpected_algorithm');
    expect(asked).toBe(0);
  });

  it('BCL-34 refuses an unknown kid, and the kid of another issuer', async () => {
    await expectRefused(verify(await sign(validClaims(), { kid: 'unknown' })), 'BCL-34', 'unknown_key');
    const foreign = await sign(validClaims(), { kid: stranger.jwk.kid }, stranger.privateKey);
    await expectRefused(verify(foreign), 'BCL-34', 'unknown_key');
  });

  it('BCL-34 refuses the signature of a stranger under the kid of the issuer', async () => {
    await expectRefused(verify(await sign(validClaims(), {}, stranger.privateKey)), 'BCL-34', 'bad_signature');
  });

  it('BCL-34 takes a rotated key as soon as the issuer has it', async () => {
    const rotated = await pairOf('RS256', 'key-new');
    const token = await sign(validClaims(), { kid: 'key-new' }, rotated.privateKey);
    await expectRefused(verify(token), 'BCL-34', 'unknown_key');
    const after = createLocalJWKSet({ keys: [own.RS256.jwk, rotated.jwk] });
    await expect(verify(token, { keys: after })).resolves.toMatchObject({ jti: 'jti-1' });
  });

  it('BCL-34 tries each key that fits when the token names none', async () => {
    const second = await pairOf('RS256', 'second');
    const both = createLocalJWKSet({ keys: [own.RS256.jwk, second.jwk] });
    for (const { privateKey } of [own.RS256, second]) {
      await expect(verify(await sign(validClaims(), { kid: undefined }, privateKey), { keys: both })).resolves.toMatchObject({
        sid: 'sid-1',
      });
    }
    const foreign = await sign(validClaims(), { kid: undefined }, stranger.privateKey);
    await expectRefused(verify(foreign, { keys: both }), 'BCL-34', 'bad_signature');
  });

  it('BCL-34 shows the resolver nothing of the header but alg and kid', async () => {
    const seen: unknown[] = [];
    const watching: JWTVerifyGetKey = (header, token) => (seen.push(header), keys(header, token));
    await verify(await sign(validClaims(), { jku: 'https://evil.example.com/jwks', x5u: 'https://evil.example.com/x5u' }), {
      keys: watching,
    });
    expect(seen).toEqual([{ alg: 'RS256', kid: 'key-RS256' }]);
  });

  it('BCL-34 does not take the key that a token brings along', async () => {
    const { kid: _kid, ...jwk } = stranger.jwk;
    const brought = await sign(validClaims(), { kid: 'brought', jwk, jku: 'https://evil.example.com/jwks' }, stranger.privateKey);
    await expectRefused(verify(brought), 'BCL-34', 'unknown_key');
    await expectRefused(verify(await sign(validClaims(), { jwk }, stranger.privateKey)), 'BCL-34', 'bad_signature');
  });

  it('BCL-34 says so when the keys of the issuer cannot be had', async () => {
    const unreachable: JWTVerifyGetKey = () => Promise.reject(new Error('connect ECONNREFUSED'));
    const refusal = await refusalOf(verify(await sign(validClaims()), { keys: unreachable }));
    expect(refusal).toMatchObject({ code: 'keys_unavailable', detail: expect.stringContaining('ECONNREFUSED') as string });
    expect(refusal.description).not.toContain('ECONNREFUSED');
  });

  it.each([
    ['crit', ['exp']],
    ['crit', ['b64']],
    ['crit', []],
    ['crit', null],
  ])('BCL-34 refuses %s %j', async (name, value) => {
    const [, payload, signature] = (await sign(validClaims())).split('.');
    const header = { alg: 'RS256', kid: 'key-RS256', b64: true, exp: 1, [name]: value };
    await expectRefused(verify(`${encode(header)}.${payload}.${signature}`), 'BCL-34', 'critical_extension');
  });

  it('BCL-34 refuses a token of which one character was changed', async () => {
    const token = await sign(validClaims());
    const [header = '', payload = '', signature = ''] = token.split('.');
    const other = encode({ ...validClaims(), sub: 'sub-2' });
    await expectRefused(verify(`${header}.${other}.${signature}`), 'BCL-34', 'bad_signature');
    const first = signature.startsWith('A') ? 'B' : 'A';
    await expectRefused(verify(`${header}.${payload}.${first}${signature.slice(1)}`), 'BCL-34', 'bad_signature');
    await expectRefused(verify(`${header}.${payload}.`), 'BCL-34', 'bad_signature');
  });

  it.each([
    '',
    'x',
    '..',
    'a.b',
    'a.b.c.d',
    '{"payload":"x","signatures":[]}',
    'ä.b.c',
    ' a.b.c',
    'a.b.c\n',
    `${encode('[]')}.b.c`,
    `${encode('{"alg":"RS256","alg":"RS256"}')}.b.c`,
  ])('BCL-34 refuses %j, which is no compact JWS with a header', async (token) => {
    await expectRefused(verify(token), 'BCL-34', 'malformed_token');
  });

  it('BCL-34 refuses a kid that is no text', async () => {
    const [, payload, signature] = (await sign(validClaims())).split('.');
    await expectRefused(verify(`${encode({ alg: 'RS256', kid: 5 })}.${payload}.${signature}`), 'BCL-34', 'malformed_token');
  });
});

describe('OLT-5: issuer and audience', () => {
  it.each([`${issuer}INVALID`, `${issuer}/`, 'https://OP.example.com', ` ${issuer}`, 'https://other.example.com'])(
    'BCL-36 refuses the issuer %s',
    async (iss) => {
      await expectRefused(verify(await sign({ ...validClaims(), iss })), 'BCL-36', 'wrong_issuer');
    },
  );

  it.each(
    [`${audience}INVALID`, [`${audience}INVALID`], [audience, 'another-client'], ['another-client', audience], audience.toUpperCase()].map(
      (aud) => [aud],
    ),
  )('BCL-36 refuses the audience %j', async (aud) => {
    await expectRefused(verify(await sign({ ...validClaims(), aud })), 'BCL-36', 'wrong_audience');
  });
});

describe('OLT-6: times', () => {
  it.each([at, at - 1, at - 3600])('BCL-38 refuses a token that expired at %d', async (exp) => {
    await expectRefused(verify(await sign({ ...validClaims(), exp })), 'BCL-38', 'bad_expiry');
  });

  it.each([at + 61, at + 86_400])('BCL-37 refuses an iat in the future beyond the skew: %d', async (iat) => {
    await expectRefused(verify(await sign({ ...validClaims(), iat, exp: iat + 120 })), 'BCL-37', 'bad_issued_at');
  });

  it.each([at - 301, at - 86_400])('BCL-37 refuses an iat that is too old: %d', async (iat) => {
    await expectRefused(verify(await sign({ ...validClaims(), iat, exp: at + 100 })), 'BCL-37', 'bad_issued_at');
  });

  it('BCL-38 refuses a token without exp, unless that was agreed', async () => {
    const token = await sign(without('exp'));
    await expectRefused(verify(token), 'BCL-38', 'bad_expiry');
    await expect(verify(token, { allowMissingExp: true })).resolves.toMatchObject({
      exp: undefined,
      forgetAt: new Date((at - 1 + 300 + 60) * 1000),
    });
  });

  it('BCL-38 bounds a token without exp by the age of its iat', async () => {
    const token = await sign({ ...without('exp'), iat: at - 301 });
    await expectRefused(verify(token, { allowMissingExp: true }), 'BCL-37', 'bad_issued_at');
  });

  it.each([at - 1, null, 'later'])('BCL-38 still judges an exp that is there where it may be missing: %j', async (exp) => {
    await expectRefused(verify(await sign({ ...validClaims(), exp }), { allowMissingExp: true }), 'BCL-38', 'bad_expiry');
  });
});

describe('OLT-11: tokens of another kind', () => {
  it('BCL-40 refuses an ID Token, even without nonce and with a sid', async () => {
    const { events: _events, ...idToken } = { ...validClaims(), auth_time: at - 100, acr: '1' };
    await expectRefused(verify(await sign(idToken, { typ: 'JWT' })), 'BCL-40', 'bad_event');
  });

  it('BCL-41 refuses an ID Token that was dressed up with an event', async () => {
    await expectRefused(verify(await sign({ ...validClaims(), nonce: 'n', auth_time: at }, { typ: 'JWT' })), 'BCL-41', 'nonce_present');
  });

  const set = () => ({
    iss: issuer,
    aud: audience,
    iat: at,
    exp: at + 100,
    jti: 'set-1',
    sub: 'sub-1',
    events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': { event_timestamp: at } },
  });

  it('BCL-44 refuses a SET by its type, and BCL-40 by its events when it hides the type', async () => {
    await expectRefused(verify(await sign(set(), { typ: 'secevent+jwt' })), 'BCL-44', 'unexpected_type');
    await expectRefused(verify(await sign(set(), { typ: undefined })), 'BCL-40', 'bad_event');
  });

  it.each(['at+jwt', 'application/secevent+jwt', 'dpop+jwt', 'logout+jwtx', '', null, 5, ['logout+jwt']])(
    'BCL-44 refuses typ %j',
    async (typ) => {
      const [, payload, signature] = (await sign(validClaims())).split('.');
      await expectRefused(
        verify(`${encode({ alg: 'RS256', kid: 'key-RS256', typ })}.${payload}.${signature}`),
        'BCL-44',
        'unexpected_type',
      );
    },
  );
});

describe('BCL-33: encryption', () => {
  const SETS: [NestedEncryption['alg'], NestedEncryption['enc']][] = [
    ['RSA-OAEP', 'A128CBC-HS256'],
    ['RSA-OAEP-256', 'A256GCM'],
    ['ECDH-ES', 'A128GCM'],
    ['ECDH-ES+A128KW', 'A256CBC-HS512'],
    ['ECDH-ES+A256KW', 'A256GCM'],
  ];
  const nest = (jws: string, key: CryptoKey, header: { alg: string; enc: string; [name: string]: unknown }) =>
    new CompactEncrypt(Buffer.from(jws)).setProtectedHeader(header).encrypt(key);

  it.each(SETS)('takes a token nested with %s and %s', async (alg, enc) => {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const decryption = { alg, enc, privateKey: () => Promise.resolve(privateKey) };
    const nested = await nest(await sign(validClaims()), publicKey, { alg, enc, cty: 'JWT', iss: issuer });
    await expect(verify(nested, { decryption })).resolves.toMatchObject({ jti: 'jti-1' });
    await expect(verify(await nest(await sign(validClaims()), publicKey, { alg, enc }), { decryption })).resolves.toMatchObject({
      jti: 'jti-1',
    });
  });

  it('refuses cleartext where encryption was agreed, and encryption where it was not', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RSA-OAEP-256');
    const decryption = { alg: 'RSA-OAEP-256', enc: 'A256GCM', privateKey: () => Promise.resolve(privateKey) } as const;
    const token = await sign(validClaims());
    await expectRefused(verify(token, { decryption }), 'BCL-33', 'not_encrypted');
    await expectRefused(verify(await nest(token, publicKey, { alg: 'RSA-OAEP-256', enc: 'A256GCM' })), 'BCL-33', 'unexpected_encryption');
  });

  it('refuses other algorithms, another key, another issuer in the header, compression and what is not signed inside', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RSA-OAEP-256');
    const { publicKey: other } = await generateKeyPair('RSA-OAEP-256');
    const { publicKey: sha1 } = await generateKeyPair('RSA-OAEP');
    const decryption = { alg: 'RSA-OAEP-256', enc: 'A256GCM', privateKey: () => Promise.resolve(privateKey) } as const;
    const header = { alg: 'RSA-OAEP-256', enc: 'A256GCM' };
    const token = await sign(validClaims());
    for (const nested of [
      await nest(token, publicKey, { ...header, enc: 'A128GCM' }),
      await nest(token, sha1, { ...header, alg: 'RSA-OAEP' }),
      await nest(token, other, header),
      await nest(token, publicKey, { ...header, iss: 'https://other.example.com' }),
      await nest(token, publicKey, { ...header, zip: 'DEF' }),
      'a.b.c.d.e',
    ]) {
      const refusal = await refusalOf(verify(nested, { decryption }));
      expect(refusal).toMatchObject({
        code: 'undecryptable',
        clause: 'BCL-33',
        description: 'the token must be encrypted to our key with RSA-OAEP-256 and A256GCM',
      });
    }
    const unsigned = await nest(JSON.stringify(validClaims()), publicKey, header);
    await expectRefused(verify(unsigned, { decryption }), 'BCL-34', 'malformed_token');
    const none = `${encode({ alg: 'none' })}.${encode(validClaims())}.`;
    await expectRefused(verify(await nest(none, publicKey, header), { decryption }), 'BCL-35', 'unexpected_algorithm');
  });
});

describe('refusals', () => {
  it('BCL-50 never repeats to the peer, nor to the log, what the token was made of', async () => {
    const token = await sign({ ...validClaims(), sub: 5, sid: 'secret-session' });
    const { description, detail, message } = await refusalOf(verify(token));
    for (const text of [description, detail, message]) {
      expect(text).not.toContain('secret-session');
      expect(text).not.toContain(token.split('.')[1]);
    }
  });

  it('BCL-33 to BCL-44 are all in the table, each check once', () => {
    const clauses = LOGOUT_TOKEN_CHECKS.map(([clause]) => clause);
    expect(new Set(clauses)).toEqual(new Set([33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 44].map((n) => `BCL-${n}`)));
    expect(new Set(LOGOUT_TOKEN_CHECKS.map(([, check]) => check)).size).toBe(LOGOUT_TOKEN_CHECKS.length);
  });
});
