import { createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer, type Server } from 'node:tls';
import { Egress } from '#platform/egress';
import { makeCertificate, type TestCertificate } from './egress-certificate.js';

const SETTINGS = {
  allowPrivateNetworks: ['127.0.0.0/8'],
  connectTimeoutMs: 1_000,
  responseLimitBytes: 1024,
  documentLimitBytes: 1024,
  maxSocketsPerOrigin: 4,
};
const authority = makeCertificate({ commonName: 'Test authority' });
const stranger = makeCertificate({ commonName: 'Somebody else' });
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An HTTPS server that counts the requests that got through to it. */
async function serve(certificate: TestCertificate): Promise<{ port: number; requests: string[]; resumed: boolean[] }> {
  const requests: string[] = [];
  const resumed: boolean[] = [];
  const server: Server = createTlsServer({ cert: certificate.cert, key: certificate.key }, (socket) => {
    resumed.push(socket.isSessionReused());
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      requests.push(chunk.toString());
      socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    });
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closers.push(async () => new Promise((closed) => server.close(closed)));
  return { port: (server.address() as AddressInfo).port, requests, resumed };
}

function open(ca?: string[]): Egress {
  const door = new Egress(SETTINGS, { ca, lookup: async () => Promise.resolve(['127.0.0.1']) });
  closers.push(async () => door.close());
  return door;
}

const post = { method: 'POST', body: 'logout_token=SECRET-TOKEN', timeoutMs: 2_000 } as const;

describe('certificates are verified', () => {
  test('a certificate of a trusted authority for that name, and for that address, is taken', async () => {
    const { port, requests } = await serve(makeCertificate({ commonName: 'sp', altNames: ['sp.test', '127.0.0.1'], issuer: authority }));
    const door = open([authority.cert]);
    expect(await door.send({ ...post, url: `https://sp.test:${port}/` })).toMatchObject({ kind: 'response', status: 204 });
    expect(await door.send({ ...post, url: `https://sp.test.:${port}/` })).toMatchObject({ kind: 'response', status: 204 });
    expect(await door.send({ ...post, url: `https://127.0.0.1:${port}/` })).toMatchObject({ kind: 'response', status: 204 });
    expect(requests).toHaveLength(3);
  });

  const past = new Date(Date.now() - 86_400_000);
  const future = new Date(Date.now() + 86_400_000);
  test.each([
    ['self-signed', makeCertificate({ commonName: 'sp.test', altNames: ['sp.test'] }), /self.signed/i],
    [
      'of an authority that is not trusted',
      makeCertificate({ commonName: 'sp', altNames: ['sp.test'], issuer: stranger }),
      /UNABLE_TO_|unable to/,
    ],
    [
      'for another name',
      makeCertificate({ commonName: 'sp', altNames: ['other.test'], issuer: authority }),
      /ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
    [
      'for a name that only its common name has',
      makeCertificate({ commonName: 'sp.test', altNames: ['other.test'], issuer: authority }),
      /ALTNAME/,
    ],
    [
      'that is over',
      makeCertificate({ commonName: 'sp', altNames: ['sp.test'], issuer: authority, notAfter: past, notBefore: new Date(0) }),
      /expired/,
    ],
    [
      'that is not valid yet',
      makeCertificate({ commonName: 'sp', altNames: ['sp.test'], issuer: authority, notBefore: future }),
      /not yet valid/,
    ],
  ])('one %s is refused, and nothing of the request is sent', async (_what, certificate, why) => {
    const { port, requests } = await serve(certificate);
    const door = open([authority.cert]);
    const result = await door.send({ ...post, url: `https://sp.test:${port}/` });
    expect(result).toMatchObject({ kind: 'failed', code: 'tls', error: expect.stringMatching(why) });
    await expect(door.fetch(`https://sp.test:${port}/`)).rejects.toThrow(/: tls: /);
    expect(requests).toEqual([]);
  });

  test('the environment cannot switch it off', async () => {
    const { port, requests } = await serve(makeCertificate({ commonName: 'sp.test', altNames: ['sp.test'] }));
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await open().send({ ...post, url: `https://sp.test:${port}/` })).toMatchObject({ kind: 'failed', code: 'tls' });
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
    expect(requests).toEqual([]);
  });

  test('a reconnect to the same peer resumes its session; another port does not', async () => {
    const certificate = makeCertificate({ commonName: 'sp', altNames: ['sp.test'], issuer: authority });
    const [one, two] = [await serve(certificate), await serve(certificate)];
    const door = open([authority.cert]);
    for (const { port } of [one, one, two]) {
      expect(await door.send({ ...post, url: `https://sp.test:${port}/` })).toMatchObject({ kind: 'response', status: 204 });
    }
    expect(one.resumed).toEqual([false, true]);
    expect(two.resumed).toEqual([false]);
  });
});

test('a peer that does not speak TLS is a TLS failure', async () => {
  const server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closers.push(async () => new Promise((closed) => server.close(closed)));
  const { port } = server.address() as AddressInfo;
  expect(await open().send({ ...post, url: `https://127.0.0.1:${port}/` })).toMatchObject({ kind: 'failed', code: 'tls' });
});

test('a peer that never finishes the handshake is given up after the connect timeout', async () => {
  const ended: Promise<void>[] = [];
  const server = createServer((socket) => {
    ended.push(new Promise((close) => socket.on('close', close)));
    socket.on('error', () => undefined).resume();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closers.push(async () => new Promise((closed) => server.close(closed)));
  const { port } = server.address() as AddressInfo;
  const result = await open().send({ ...post, url: `https://127.0.0.1:${port}/`, timeoutMs: 10_000 });
  expect(result).toMatchObject({ kind: 'failed', code: 'timeout', error: `no TLS handshake with 127.0.0.1:${port} within 1000 ms` });
  expect(ended).toHaveLength(1);
  await Promise.all(ended);
});
