import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { compactDecrypt, type CryptoKey, decodeProtectedHeader, exportJWK, generateKeyPair, type JWK, jwtVerify } from 'jose';
import { type AttemptResult, type Message, OidcBackchannelChannel } from '#channels';
import { ExeuntError } from '#domain';
import { Egress } from '#platform/egress';
import type { OidcBackchannelConfig, SigningAlg, TokenEncryption } from '#registry';

const ISSUER = 'https://op.example.com';
const ALGS: SigningAlg[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const LIMIT_BYTES = 64 * 1024;

interface Received {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}
type Answer = (response: ServerResponse, request: IncomingMessage) => void;

let sp: Server;
let address: string;
let answer: Answer;
let received: Received[];
const sockets = new Set<Socket>();

let keys: Record<SigningAlg, { privateKey: CryptoKey; publicKey: CryptoKey }>;
let egress: Egress;
let clientKey: () => Promise<JWK>;
let channel: OidcBackchannelChannel;
const clock = { now: () => new Date() };

beforeAll(async () => {
  keys = Object.fromEntries(await Promise.all(ALGS.map(async (alg) => [alg, await generateKeyPair(alg)]))) as typeof keys;
  egress = new Egress({
    allowPrivateNetworks: ['127.0.0.1/32'],
    connectTimeoutMs: 2_000,
    responseLimitBytes: LIMIT_BYTES,
    documentLimitBytes: LIMIT_BYTES,
    maxSocketsPerOrigin: 16,
  });
  sp = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(response, request);
    });
  });
  sp.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  sp.listen(0, '127.0.0.1');
  await once(sp, 'listening');
  address = `http://127.0.0.1:${(sp.address() as AddressInfo).port}`;
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  sp.close();
  await egress.close();
});

beforeEach(() => {
  received = [];
  answer = (response) => void response.writeHead(200).end();
  clientKey = () => Promise.reject(new Error('nobody asked for encryption'));
  channel = new OidcBackchannelChannel(
    { signerFor: (idpId, alg) => Promise.resolve({ issuer: ISSUER, kid: `${idpId}-${alg}`, alg, privateKey: keys[alg].privateKey }) },
    { keyFor: () => clientKey() },
    egress,
    clock,
  );
});

function message(
  config: Partial<OidcBackchannelConfig> = {},
  change: Partial<Message<OidcBackchannelConfig>> = {},
): Message<OidcBackchannelConfig> {
  return {
    logoutId: 'logout-1',
    deliveryNumber: 1,
    attemptNumber: 1,
    idpId: 'idp-1',
    spId: 'sp-1',
    sid: 'sid-1',
    sub: 'sub-1',
    saml: null,
    timeoutMs: 5_000,
    ...change,
    channel: {
      type: 'oidc-backchannel',
      clientId: 'client-1',
      uri: `${address}/logout`,
      sessionRequired: false,
      signingAlg: 'ES256',
      tell: 'session',
      ...config,
    },
  };
}

const tokenOf = (request: Received | undefined): string => new URLSearchParams(request?.body).get('logout_token') ?? '';

async function claimsOf(request: Received | undefined, alg: SigningAlg = 'ES256') {
  const { payload } = await jwtVerify(tokenOf(request), keys[alg].publicKey, {
    algorithms: [alg],
    issuer: ISSUER,
    audience: 'client-1',
    typ: 'logout+jwt',
  });
  return payload;
}

describe('OLT-12: the request', () => {
  it('BCL-25 is a POST of a form with logout_token and nothing else, to the registered URI with its query', async () => {
    await channel.send(message({ uri: `${address}/app/logout?logout=backchannel&x=%2F` }));
    expect(received).toHaveLength(1);
    const [{ method, url, headers, body } = received[0]!] = received;
    expect(method).toBe('POST');
    expect(url).toBe('/app/logout?logout=backchannel&x=%2F');
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(headers['content-length']).toBe(String(body.length));
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
    expect(body).toMatch(/^logout_token=[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it.each(ALGS)('BCL-10 to BCL-23 carries a token that the IdP would have signed with %s', async (signingAlg) => {
    const before = Math.floor(Date.now() / 1000);
    await channel.send(message({ signingAlg }));
    const claims = await claimsOf(received[0], signingAlg);
    const iat = claims.iat!;
    expect(claims).toEqual({
      iss: ISSUER,
      aud: 'client-1',
      iat,
      exp: iat + 120,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      sid: 'sid-1',
      sub: 'sub-1',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(iat).toBeGreaterThanOrEqual(before);
    expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
    expect(decodeProtectedHeader(tokenOf(received[0]))).toEqual({ alg: signingAlg, kid: `idp-1-${signingAlg}`, typ: 'logout+jwt' });
  });

  it('BCL-28 has a jti of its own in each attempt, which the result names', async () => {
    const results = [await channel.send(message()), await channel.send(message({}, { attemptNumber: 2 }))];
    const ids = await Promise.all(received.map(async (request) => (await claimsOf(request)).jti));
    expect(results.map(({ jti }) => jti)).toEqual(ids);
    expect(new Set(ids).size).toBe(2);
  });

  it('BCL-17 names the user alone where the SP ends all sessions of a user at once', async () => {
    await channel.send(message({ tell: 'user' }));
    const claims = await claimsOf(received[0]);
    expect(claims.sub).toBe('sub-1');
    expect(claims).not.toHaveProperty('sid');
  });

  it.each<[string, Partial<OidcBackchannelConfig>, { sid: null; sub: string | null }]>([
    ['BCL-5 an SP that requires sid', { sessionRequired: true }, { sid: null, sub: 'sub-1' }],
    ['BCL-16 a session without sid and sub', {}, { sid: null, sub: null }],
  ])('%s makes the channel unusable, and nothing is sent', async (_, config, known) => {
    await expect(channel.send(message(config, known))).resolves.toEqual({ result: 'unusable', error: expect.any(String) as string });
    expect(received).toHaveLength(0);
  });

  it('BCL-23 throws when there is no key to sign with: that is our fault, not the answer of an SP', async () => {
    const fault = new ExeuntError('configuration', 'no ES256 key');
    const keyless = new OidcBackchannelChannel({ signerFor: () => Promise.reject(fault) }, { keyFor: () => clientKey() }, egress, clock);
    await expect(keyless.send(message())).rejects.toBe(fault);
    expect(received).toHaveLength(0);
  });
});

describe('BCL-24: encryption', () => {
  const encryption: TokenEncryption = { alg: 'ECDH-ES', enc: 'A256GCM' };

  it('nests the signed token, and names the issuer in the header in the clear', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES');
    clientKey = async () => ({ ...(await exportJWK(publicKey)), kid: 'client-key' });
    await expect(channel.send(message({ encryption }))).resolves.toMatchObject({ result: 'confirmed' });
    const { plaintext, protectedHeader } = await compactDecrypt(tokenOf(received[0]), privateKey);
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', iss: ISSUER, kid: 'client-key' });
    const { payload } = await jwtVerify(plaintext, keys.ES256.publicKey, { issuer: ISSUER, audience: 'client-1', typ: 'logout+jwt' });
    expect(payload).toMatchObject({ sid: 'sid-1', sub: 'sub-1' });
  });

  it.each<[AttemptResult['result'], string, () => Promise<JWK>]>([
    ['failed', 'cannot be had', () => Promise.reject(new ExeuntError('bad_upstream', 'the keys cannot be had'))],
    ['refused', 'not allowed', () => Promise.reject(new ExeuntError('refused_address', 'that address is not allowed'))],
    ['failed', 'does not suit', () => Promise.resolve({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' })],
  ])('is %s when the key of the SP %s, and nothing is sent in the clear', async (result, error, keyFor) => {
    clientKey = keyFor;
    await expect(channel.send(message({ encryption }))).resolves.toMatchObject({ result, error: expect.stringContaining(error) as string });
    expect(received).toHaveLength(0);
  });

  it('throws when the fault is ours', async () => {
    clientKey = () => Promise.reject(new TypeError('a bug'));
    await expect(channel.send(message({ encryption }))).rejects.toThrow('a bug');
  });
});

describe('OLT-12: the answer', () => {
  const plain =
    (status: number, headers: Record<string, string> = {}, body = ''): Answer =>
    (response) =>
      void response.writeHead(status, headers).end(body);

  it.each<[string, Answer, Partial<AttemptResult>]>([
    ['BCL-29 200', plain(200), { result: 'confirmed', httpStatus: 200 }],
    ['BCL-29 204', plain(204), { result: 'confirmed', httpStatus: 204 }],
    ['BCL-29 202', plain(202), { result: 'confirmed', httpStatus: 202, error: 'answered 202 where 200 or 204 is wanted' }],
    [
      'BCL-30 400 with JSON',
      plain(400, { 'content-type': 'application/json' }, '{"error":"invalid_request","error_description":"no such client"}'),
      { result: 'refused', httpStatus: 400, error: 'answered 400: invalid_request: no such client' },
    ],
    [
      'BCL-30 400 with HTML',
      plain(400, { 'content-type': 'text/html' }, '<html><body><h1>Bad Request</h1></body></html>'),
      { result: 'refused', httpStatus: 400, error: 'answered 400: Bad Request' },
    ],
    ['BCL-27 401', plain(401), { result: 'refused', httpStatus: 401 }],
    ['BCL-27 404', plain(404), { result: 'refused', httpStatus: 404 }],
    ['BCL-27 500', plain(500), { result: 'failed', httpStatus: 500 }],
    ['BCL-27 503 with seconds', plain(503, { 'retry-after': '7' }), { result: 'failed', httpStatus: 503, retryAfterMs: 7_000 }],
  ])('%s', async (_, given, wanted) => {
    answer = given;
    const result = await channel.send(message());
    expect(result).toMatchObject(wanted);
    expect(result.jti).toBe((await claimsOf(received[0])).jti);
  });

  it('BCL-27 429 with a date', async () => {
    const at = new Date(Date.now() + 90_000);
    answer = plain(429, { 'retry-after': at.toUTCString() });
    const result = await channel.send(message());
    expect(result).toMatchObject({ result: 'failed', httpStatus: 429 });
    expect(result.retryAfterMs).toBeGreaterThan(60_000);
    expect(result.retryAfterMs).toBeLessThanOrEqual(90_000);
  });

  it.each([301, 302, 303, 307, 308])('BCL-29 a redirect (%d) is a final no and is not followed', async (status) => {
    answer = plain(status, { location: `${address}/elsewhere` });
    await expect(channel.send(message())).resolves.toMatchObject({ result: 'refused', httpStatus: status });
    expect(received.map(({ url }) => url)).toEqual(['/logout']);
  });

  it('BCL-27 an SP that does not answer in time has failed, and may be tried again', async () => {
    answer = () => undefined;
    const started = performance.now();
    const result = await channel.send(message({}, { timeoutMs: 150 }));
    expect(result).toMatchObject({ result: 'failed', error: expect.stringContaining('timeout') as string });
    expect(result).not.toHaveProperty('httpStatus');
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('BCL-27 an answer whose body does not end in time has failed', async () => {
    answer = (response) => void response.writeHead(200, { 'content-length': '10' }).write('slow');
    await expect(channel.send(message({}, { timeoutMs: 150 }))).resolves.toMatchObject({
      result: 'failed',
      error: expect.stringContaining('timeout') as string,
    });
  });

  it('BCL-27 a connection that breaks has failed', async () => {
    answer = (_, request) => request.socket.destroy();
    await expect(channel.send(message())).resolves.toMatchObject({ result: 'failed', error: expect.stringMatching(/^reset/) as string });
  });

  it('BCL-27 a refused connection has failed', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const result = await channel.send(message({ uri: `http://127.0.0.1:${port}/logout` }));
    expect(result).toMatchObject({ result: 'failed', error: expect.stringMatching(/^connect: .*ECONNREFUSED/) as string });
  });

  it('BCL-6 an address that is not allowed is a final no, and no socket is opened', async () => {
    const result = await channel.send(message({ uri: 'http://169.254.169.254/latest' }));
    expect(result).toMatchObject({ result: 'refused', error: expect.any(String) as string });
    expect(result).not.toHaveProperty('jti');
  });

  it('BCL-6 a huge body is cut, and the status still counts', async () => {
    const page = `<p>${'x '.repeat(1_000_000)}</p>`;
    answer = (response) =>
      void response
        .on('error', () => undefined)
        .writeHead(500, { 'content-type': 'text/html' })
        .end(page);
    const result = await channel.send(message());
    expect(result).toMatchObject({ result: 'failed', httpStatus: 500 });
    expect(result.error!.length).toBeLessThanOrEqual(500);
    answer = (response) =>
      void response
        .on('error', () => undefined)
        .writeHead(200)
        .end(page);
    await expect(channel.send(message())).resolves.toMatchObject({ result: 'confirmed', httpStatus: 200 });
  });
});
