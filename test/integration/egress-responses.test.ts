import { createRemoteJWKSet, customFetch, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import * as openid from 'openid-client';
import { gzipSync } from 'node:zlib';
import { Egress, type EgressSettings } from '#platform/egress';

const SETTINGS: EgressSettings = {
  allowPrivateNetworks: ['127.0.0.0/8'],
  connectTimeoutMs: 1_000,
  responseLimitBytes: 1_000,
  documentLimitBytes: 5_000,
  maxSocketsPerOrigin: 3,
};
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Peer {
  url: string;
  sockets: Socket[];
  /** Resolves when as many connections have ended. */
  ended: (count: number) => Promise<void>;
  requests: string[];
}

/** A raw peer that says what it likes after it has read something. */
async function peer(answer: (socket: Socket, request: string) => void): Promise<Peer> {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const ends: Promise<void>[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    ends.push(new Promise<void>((close) => socket.on('close', () => close())));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      requests.push(chunk.toString());
      answer(socket, chunk.toString());
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, sockets, requests, ended: async (count) => void (await Promise.all(ends.slice(0, count))) };
}

async function http(listener: RequestListener): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  const server = createHttpServer(listener).on('connection', () => (connections += 1));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, connections: () => connections };
}

function open(settings: Partial<EgressSettings> = {}): Egress {
  const door = new Egress({ ...SETTINGS, ...settings });
  closers.push(async () => door.close());
  return door;
}

const ok = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const get = { method: 'GET', timeoutMs: 2_000 } as const;

describe('what is sent', () => {
  test('a form POST arrives as it is: method, path with query, headers, body, Host of the URL', async () => {
    const seen: unknown[] = [];
    const { url } = await http((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push({
          method: request.method,
          url: request.url,
          host: request.headers.host,
          type: request.headers['content-type'],
          length: request.headers['content-length'],
          body,
        });
        response.setHeader('cache-control', ['no-cache', 'no-store']).end('é');
      });
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const result = await open().send({
      method: 'POST',
      url: `${url}bcl?x=1#fragment`,
      headers,
      body: 'logout_token=a.b.c',
      timeoutMs: 2_000,
    });
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/bcl?x=1',
        host: new URL(url).host,
        type: 'application/x-www-form-urlencoded',
        length: '18',
        body: 'logout_token=a.b.c',
      },
    ]);
    expect(result).toMatchObject({
      kind: 'response',
      status: 200,
      body: 'é',
      truncated: false,
      headers: { 'cache-control': 'no-cache, no-store' },
    });
  });

  test('a Host header of the caller, and headers that are not valid, are faults of ours', async () => {
    const { url, connections } = await http((_request, response) => response.end());
    const door = open();
    await expect(door.send({ ...get, url, headers: { Host: 'elsewhere.test' } })).rejects.toMatchObject({ code: 'internal' });
    await expect(door.send({ ...get, url, headers: { 'x-a': 'b\r\nhost: elsewhere.test' } })).rejects.toMatchObject({ code: 'internal' });
    expect(connections()).toBe(0);
  });

  test('after close nothing is sent any more', async () => {
    const { url, connections } = await http((_request, response) => response.end());
    const door = open();
    await door.close();
    await expect(door.send({ ...get, url })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(door.fetch(url)).rejects.toMatchObject({ code: 'unavailable' });
    expect(connections()).toBe(0);
  });

  test('close waits for what is on its way', async () => {
    let answer: (() => void) | undefined;
    const { url } = await http((_request, response) => (answer = () => response.end('late')));
    const door = open();
    const sent = door.send({ ...get, url });
    while (!answer) await new Promise(setImmediate);
    const closed = door.close();
    answer();
    expect(await sent).toMatchObject({ kind: 'response', body: 'late' });
    await closed;
  });
});

describe('BCL-6 redirects are not followed', () => {
  test.each([301, 302, 303, 307, 308])('%i to an inward address is handed back as it is', async (status) => {
    const inside = await http((_request, response) => response.end('secret'));
    const { url } = await http((_request, response) => response.writeHead(status, { location: inside.url }).end());
    const door = open();
    expect(await door.send({ ...get, url })).toMatchObject({ kind: 'response', status, headers: { location: inside.url } });
    const fetched = await door.fetch(url);
    expect([fetched.status, fetched.headers.get('location'), await fetched.text()]).toEqual([status, inside.url, '']);
    expect(inside.connections()).toBe(0);
  });
});

describe('BCL-6 time is bounded, from the first packet to the last byte', () => {
  test('no answer at all', async () => {
    const silent = await peer(() => undefined);
    const result = await open().send({ ...get, url: silent.url, timeoutMs: 100 });
    expect(result).toMatchObject({ kind: 'failed', code: 'timeout', error: 'no response within 100 ms' });
    expect(result.durationMs).toBeGreaterThanOrEqual(95);
    expect(result.durationMs).toBeLessThan(1_000);
    await silent.ended(1);
  });

  test.each([
    ['a body that drips', 'HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n', 'x', 'response 200 not complete within 150 ms'],
    ['headers that drip', 'HTTP/1.1 200 OK\r\n', 'x: y\r\n', 'no response within 150 ms'],
    ['interim responses without end', '', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'no response within 150 ms'],
  ])('%s', async (_what, start, drop, error) => {
    const dripping = await peer((socket) => {
      socket.write(start);
      const timer = setInterval(() => socket.write(drop), 10);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await open().send({ ...get, url: dripping.url, timeoutMs: 150 })).toMatchObject({ kind: 'failed', code: 'timeout', error });
    await dripping.ended(1);
  });

  test('a request that was given up while it waited for a socket is never sent', async () => {
    const held: Socket[] = [];
    const slow = await peer((socket) => held.push(socket));
    const door = open({ maxSocketsPerOrigin: 1 });
    const first = door.send({ ...get, url: `${slow.url}first`, timeoutMs: 5_000 });
    while (held.length === 0) await new Promise(setImmediate);
    expect(await door.send({ ...get, url: `${slow.url}given-up`, timeoutMs: 50 })).toMatchObject({ kind: 'failed', code: 'timeout' });
    held[0]?.write(ok('1'));
    expect(await first).toMatchObject({ kind: 'response', body: '1' });
    const third = door.send({ ...get, url: `${slow.url}third`, timeoutMs: 5_000 });
    while (held.length < 2) await new Promise(setImmediate);
    held[1]?.write(ok('3'));
    expect(await third).toMatchObject({ kind: 'response', body: '3' });
    expect(slow.requests.map((request) => request.split(' ')[1])).toEqual(['/first', '/third']);
  });
});

describe('BCL-6 size is bounded', () => {
  test('a body of exactly the limit is whole, one byte more is cut and the connection ended', async () => {
    const whole = await peer((socket) => socket.write(ok('x'.repeat(1_000))));
    expect(await open().send({ ...get, url: whole.url })).toMatchObject({ kind: 'response', truncated: false, body: 'x'.repeat(1_000) });
    const longer = await peer((socket) => socket.write(ok('x'.repeat(1_001))));
    expect(await open().send({ ...get, url: longer.url })).toMatchObject({ kind: 'response', truncated: true, body: 'x'.repeat(1_000) });
    await longer.ended(1);
  });

  test('a body without end is cut at the limit of the request', async () => {
    let written = 0;
    const endless = await peer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const pour = () => {
        while (!socket.destroyed && socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`)) written += 0x4000;
      };
      socket.on('drain', pour);
      pour();
    });
    const result = await open().send({ ...get, url: endless.url, responseLimitBytes: 100_000 });
    expect(result).toMatchObject({ kind: 'response', status: 200, truncated: true });
    expect(result.kind === 'response' && result.body.length).toBe(100_000);
    await endless.ended(1);
    expect(written).toBeLessThan(50_000_000);
  });

  test('a flood of response headers is cut off', async () => {
    const flood = await peer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      let n = 0;
      const pour = () => {
        while (!socket.destroyed && socket.write(`x-${n++}: ${'y'.repeat(1_000)}\r\n`));
      };
      socket.on('drain', pour);
      pour();
    });
    expect(await open().send({ ...get, url: flood.url })).toMatchObject({
      kind: 'failed',
      code: 'protocol',
      error: expect.stringContaining('HEADERS_OVERFLOW'),
    });
    await flood.ended(1);
  });

  test('a compressed bomb is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(4_000_000));
    const { url } = await http((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const fetched = await open().fetch(url);
    expect((await fetched.arrayBuffer()).byteLength).toBe(bomb.length);
  });
});

describe('what goes wrong is a result with a stable code', () => {
  test.each<[string, string, (socket: Socket) => void]>([
    ['the connection is reset', 'reset', (socket) => socket.resetAndDestroy()],
    ['the connection is closed without a word', 'reset', (socket) => socket.end()],
    [
      'the connection is closed in the middle of the body',
      'reset',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'),
    ],
    ['the answer is not HTTP', 'protocol', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    [
      'the answer has two lengths',
      'protocol',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'),
    ],
    ['the chunks are broken', 'protocol', (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n')],
  ])('%s: %s', async (_what, code, answer) => {
    const broken = await peer(answer);
    const result = await open().send({ ...get, url: broken.url });
    expect(result).toMatchObject({ kind: 'failed', code, error: expect.stringMatching(/\S/) });
    await expect(open().fetch(broken.url)).rejects.toThrow(`: ${code}: `);
  });

  test('nobody listens: connect', async () => {
    const gone = await peer(() => undefined);
    for (const close of closers.splice(0)) await close();
    expect(await open().send({ ...get, url: gone.url })).toMatchObject({
      kind: 'failed',
      code: 'connect',
      error: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('an unasked upgrade is not taken', async () => {
    const upgrading = await peer((socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'));
    expect(await open().send({ ...get, url: upgrading.url, timeoutMs: 500 })).toMatchObject({ kind: 'failed' });
  });
});

describe('sockets', () => {
  test('are kept and used again: one at a time takes two at most, as one rests for a turn after each answer', async () => {
    const { url, connections } = await http((_request, response) => response.end('ok'));
    const door = open();
    for (let n = 0; n < 30; n += 1) expect((await door.send({ ...get, url })).kind).toBe('response');
    expect(connections()).toBeLessThanOrEqual(2);
  });

  test('are at most so many to one origin, one request at a time on each', async () => {
    let now = 0;
    let most = 0;
    const { url, connections } = await http((_request, response) => {
      most = Math.max(most, ++now);
      setImmediate(() => {
        now -= 1;
        response.end('ok');
      });
    });
    const door = open();
    const results = await Promise.all(Array.from({ length: 60 }, async () => door.send({ ...get, url, timeoutMs: 10_000 })));
    expect(results.every((result) => result.kind === 'response')).toBe(true);
    expect(connections()).toBe(3);
    expect(most).toBeLessThanOrEqual(3);
  });

  test('a connection that breaks takes only its own request with it', async () => {
    const { url } = await http((request, response) => (request.url === '/break' ? request.socket.destroy() : response.end('ok')));
    const door = open();
    const urls = Array.from({ length: 30 }, (_, n) => (n % 10 === 0 ? `${url}break` : url));
    const results = await Promise.all(urls.map(async (to) => door.send({ ...get, url: to, timeoutMs: 10_000 })));
    expect(results.map((result) => result.kind)).toEqual(urls.map((to) => (to === url ? 'response' : 'failed')));
  });
});

describe('fetch, for libraries', () => {
  test('a document over the limit is an error, never half a document', async () => {
    const { url } = await http((_request, response) => response.end('x'.repeat(5_001)));
    await expect(open().fetch(url)).rejects.toThrow('the document is longer than 5000 bytes');
  });

  test('the signal of the caller ends it', async () => {
    const silent = await peer(() => undefined);
    const door = open();
    await expect(door.fetch(silent.url, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(door.fetch(silent.url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    await silent.ended(1);
  });

  test('PUT and the like do not go through', async () => {
    const { url, connections } = await http((_request, response) => response.end());
    await expect(open().fetch(url, { method: 'DELETE' })).rejects.toThrow('method DELETE is not allowed');
    expect(connections()).toBe(0);
  });

  test('a POST with a form arrives', async () => {
    const seen: string[] = [];
    const { url } = await http((request, response) => {
      request
        .on('data', (chunk: Buffer) => seen.push(`${request.headers['content-type']} ${chunk.toString()}`))
        .on('end', () => response.writeHead(204).end());
    });
    const response = await open().fetch(new URL(url), { method: 'POST', body: new URLSearchParams({ a: 'b c' }) });
    expect(response.status).toBe(204);
    expect(seen).toEqual(['application/x-www-form-urlencoded;charset=UTF-8 a=b+c']);
  });

  test('jose reads a JWKS and openid-client a discovery document through it', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
    const { url } = await http((request, response) => {
      const issuer = `http://${request.headers.host ?? ''}`;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` }));
    });
    const door = open();
    const issuer = url.slice(0, -1);
    const found = await openid.discovery(new URL(url), 'client', undefined, undefined, {
      execute: [openid.allowInsecureRequests],
      [openid.customFetch]: door.fetch as openid.CustomFetch,
    });
    expect(found.serverMetadata().jwks_uri).toBe(`${issuer}/jwks`);
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), { [customFetch]: door.fetch });
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setIssuer(issuer).sign(privateKey);
    expect((await jwtVerify(token, keys)).payload.iss).toBe(issuer);
    const closedDoor = open({ allowPrivateNetworks: [] });
    await expect(jwtVerify(token, createRemoteJWKSet(new URL(`${issuer}/jwks`), { [customFetch]: closedDoor.fetch }))).rejects.toThrow(
      /refused-address|http: is allowed only|loopback/,
    );
  });
});
