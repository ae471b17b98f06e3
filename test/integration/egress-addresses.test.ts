import { jest } from '@jest/globals';
import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { Egress } from '#platform/egress';

/** What a hostile resolver answers. A list of lists answers differently from one question to the next. */
const ANSWERS: Record<string, string[]> = {
  'loopback.test': ['127.0.0.1'],
  'loopback6.test': ['::1'],
  'private.test': ['10.0.0.5'],
  'metadata.test': ['169.254.169.254'],
  'metadata6.test': ['fd00:ec2::254'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'linklocal6.test': ['fe80::1%eth0'],
  'unspecified.test': ['0.0.0.0'],
  'mixed.test': ['93.184.215.14', '127.0.0.1'],
  'mixed6.test': ['2606:4700:4700::1111', '::1'],
  'private.test.': ['10.0.0.5'],
  localhost: ['127.0.0.1', '::1'],
  'localhost.': ['127.0.0.1'],
  'api.localhost': ['127.0.0.1'],
  redis: ['172.20.0.3'],
  'kubernetes.default.svc.cluster.local': ['10.96.0.1'],
  'plain.test': ['93.184.215.14'],
};

/** Every URL leads, or tries to lead, inwards. PORT is where a real server counts connections. */
const HOSTILE: [url: string, why: RegExp][] = [
  // loopback and its spellings
  ['https://127.0.0.1:PORT/', /loopback/],
  ['http://127.0.0.1:PORT/', /loopback/],
  ['https://127.255.255.254:PORT/', /loopback/],
  ['https://127.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://127.0.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://2130706433:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://0x7f000001:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://0x7f.0.0.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://0x7F.0x0.0x0.0x1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://017700000001:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://0177.0.0.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://0177.0.0x0.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://127.0.0.1.:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://%31%32%37.0.0.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://127%2e0%2e0%2e1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://１２７.０.０.１:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://127。0。0。1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://①②⑦.⓪.⓪.①:PORT/', /127\.0\.0\.1 is loopback/],
  ['https:127.0.0.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https:\\\\127.0.0.1:PORT\\', /127\.0\.0\.1 is loopback/],
  ['ht\ttps://127.0.\n0.1:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://[::1]:PORT/', /loopback/],
  ['https://[0:0:0:0:0:0:0:1]:PORT/', /loopback/],
  ['https://[0000::0001]:PORT/', /loopback/],
  // this host
  ['https://0.0.0.0:PORT/', /unspecified/],
  ['https://0:PORT/', /unspecified/],
  ['https://0.1.2.3:PORT/', /unspecified/],
  ['https://[::]:PORT/', /unspecified/],
  // private, shared, link-local
  ['https://10.0.0.5:PORT/', /private/],
  ['https://10.255.255.255:PORT/', /private/],
  ['https://167772165:PORT/', /10\.0\.0\.5 is private/],
  ['https://172.16.0.1:PORT/', /private/],
  ['https://172.31.255.255:PORT/', /private/],
  ['https://192.168.1.1:PORT/', /private/],
  ['https://0300.0250.1.1:PORT/', /192\.168\.1\.1 is private/],
  ['https://100.64.0.1:PORT/', /carrier-grade NAT/],
  ['https://100.127.255.255:PORT/', /carrier-grade NAT/],
  ['https://169.254.1.1:PORT/', /link-local/],
  ['https://[fe80::1]:PORT/', /link-local/],
  ['https://[febf::1]:PORT/', /link-local/],
  ['https://[fe80::1%25eth0]:PORT/', /not a valid absolute URL/],
  ['https://[fc00::1]:PORT/', /unique local/],
  ['https://[fdff::1]:PORT/', /unique local/],
  ['https://[fec0::1]:PORT/', /site-local/],
  // cloud metadata
  ['http://169.254.169.254/latest/meta-data/', /cloud metadata/],
  ['https://169.254.169.254:PORT/', /cloud metadata/],
  ['https://2852039166:PORT/', /cloud metadata/],
  ['https://0xa9fea9fe:PORT/', /cloud metadata/],
  ['https://0251.0376.0251.0376:PORT/', /cloud metadata/],
  ['https://[::ffff:169.254.169.254]:PORT/', /cloud metadata/],
  ['https://[64:ff9b::a9fe:a9fe]:PORT/', /cloud metadata/],
  ['https://169.254.170.2:PORT/', /cloud metadata/],
  ['https://100.100.100.200:PORT/', /cloud metadata/],
  ['https://168.63.129.16:PORT/', /cloud metadata/],
  ['https://[fd00:ec2::254]:PORT/', /cloud metadata/],
  ['https://metadata.google.internal:PORT/', /cloud metadata/],
  ['https://METADATA.google.internal.:PORT/', /cloud metadata/],
  ['https://instance-data:PORT/', /cloud metadata/],
  // multicast, broadcast, reserved, documentation, benchmarking
  ['https://224.0.0.1:PORT/', /multicast/],
  ['https://239.255.255.250:PORT/', /multicast/],
  ['https://[ff02::1]:PORT/', /multicast/],
  ['https://255.255.255.255:PORT/', /broadcast/],
  ['https://4294967295:PORT/', /broadcast/],
  ['https://240.0.0.1:PORT/', /reserved/],
  ['https://192.0.0.8:PORT/', /protocol assignments/],
  ['https://192.0.2.1:PORT/', /documentation/],
  ['https://198.51.100.1:PORT/', /documentation/],
  ['https://203.0.113.1:PORT/', /documentation/],
  ['https://[2001:db8::1]:PORT/', /documentation/],
  ['https://[3fff::1]:PORT/', /documentation/],
  ['https://198.18.0.1:PORT/', /benchmarking/],
  ['https://198.19.255.255:PORT/', /benchmarking/],
  ['https://192.88.99.1:PORT/', /6to4/],
  ['https://[100::1]:PORT/', /discard/],
  ['https://[5f00::1]:PORT/', /segment routing/],
  ['https://[4000::1]:PORT/', /not global unicast/],
  // IPv4 inside IPv6
  ['https://[::ffff:127.0.0.1]:PORT/', /127\.0\.0\.1\) is loopback/],
  ['https://[::ffff:7f00:1]:PORT/', /127\.0\.0\.1\) is loopback/],
  ['https://[::ffff:10.0.0.5]:PORT/', /10\.0\.0\.5\) is private/],
  ['https://[0:0:0:0:0:ffff:c0a8:101]:PORT/', /192\.168\.1\.1\) is private/],
  ['https://[::127.0.0.1]:PORT/', /IPv4-compatible/],
  ['https://[::8.8.8.8]:PORT/', /IPv4-compatible/],
  ['https://[::ffff:0:127.0.0.1]:PORT/', /IPv4-translated/],
  ['https://[64:ff9b::127.0.0.1]:PORT/', /127\.0\.0\.1\) is loopback/],
  ['https://[64:ff9b::a00:5]:PORT/', /10\.0\.0\.5\) is private/],
  ['https://[64:ff9b:1::a00:5]:PORT/', /NAT64/],
  ['https://[64:ff9b:1::8.8.8.8]:PORT/', /NAT64/],
  ['https://[2002:7f00:1::]:PORT/', /6to4/],
  ['https://[2002:a9fe:a9fe::1]:PORT/', /6to4/],
  ['https://[2001:0:7f00:1::]:PORT/', /Teredo/],
  ['https://[2001:2::1]:PORT/', /benchmarking/],
  // names
  ['https://loopback.test:PORT/', /loopback\.test resolves to 127\.0\.0\.1; 127\.0\.0\.1 is loopback/],
  ['https://LOOPBACK.test:PORT/', /loopback/],
  ['https://loopback6.test:PORT/', /loopback/],
  ['https://private.test:PORT/', /private/],
  ['https://private.test.:PORT/', /private/],
  ['https://metadata.test:PORT/', /cloud metadata/],
  ['https://metadata6.test:PORT/', /cloud metadata/],
  ['https://mapped.test:PORT/', /loopback/],
  ['https://nat64.test:PORT/', /loopback/],
  ['https://linklocal6.test:PORT/', /not a plain IP address/],
  ['https://unspecified.test:PORT/', /unspecified/],
  ['https://mixed.test:PORT/', /127\.0\.0\.1 is loopback/],
  ['https://mixed6.test:PORT/', /::1 is loopback/],
  ['https://localhost:PORT/', /loopback/],
  ['https://localhost.:PORT/', /loopback/],
  ['https://api.localhost:PORT/', /loopback/],
  ['https://redis:PORT/', /private/],
  ['https://kubernetes.default.svc.cluster.local:PORT/', /private/],
  // schemes, user names, things that are not URLs
  ['http://plain.test:PORT/', /http: is allowed only/],
  ['http://93.184.215.14:PORT/', /http: is allowed only/],
  ['https://expected.test@127.0.0.1:PORT/', /user name or password/],
  ['https://user:S3CRET@plain.test:PORT/', /user name or password/],
  ['file:///etc/passwd', /scheme file:/],
  ['ftp://plain.test:PORT/', /scheme ftp:/],
  ['gopher://127.0.0.1:PORT/_x', /scheme gopher:/],
  ['data:text/plain,hello', /scheme data:/],
  ['ws://plain.test:PORT/', /scheme ws:/],
  ['unix:/var/run/docker.sock', /scheme unix:/],
  ['//127.0.0.1:PORT/', /not a valid absolute URL/],
  ['127.0.0.1:PORT', /not a valid absolute URL/],
  ['https://127.0.0.1:99999/', /not a valid absolute URL/],
  ['https://256.256.256.256/', /not a valid absolute URL/],
  ['https://1.2.3.4.5/', /not a valid absolute URL/],
  ['https://[::1/', /not a valid absolute URL/],
  ['https://.:PORT/', /no host name/],
  ['https://', /not a valid absolute URL/],
  ['', /not a valid absolute URL/],
];

const SETTINGS = { connectTimeoutMs: 500, responseLimitBytes: 1024, documentLimitBytes: 1024, maxSocketsPerOrigin: 4 };

let server: Server;
let port: number;
let accepted = 0;
const connects = jest.spyOn(Socket.prototype, 'connect');

beforeAll(async () => {
  server = createServer((socket) => {
    accepted += 1;
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok');
    socket.on('error', () => undefined).resume();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  connects.mockRestore();
  await new Promise((closed) => server.close(closed));
});

beforeEach(() => {
  accepted = 0;
  connects.mockClear();
});

function doorWith(allowPrivateNetworks: string[], lookup = async (name: string) => answer(name)) {
  const refused = { count: 0 };
  const door = new Egress({ ...SETTINGS, allowPrivateNetworks }, { lookup, onRefused: () => (refused.count += 1) });
  return { door, refused };
}

async function answer(name: string): Promise<string[]> {
  const addresses = ANSWERS[name];
  if (!addresses) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
  return Promise.resolve(addresses);
}

describe('BCL-6 nothing inside is called', () => {
  test('the table holds at least 60 addresses', () => expect(new Set(HOSTILE.map(([url]) => url)).size).toBeGreaterThanOrEqual(60));

  test.each(HOSTILE)('%j is refused at registration and at delivery alike, and no socket is opened', async (pattern, why) => {
    const { door, refused } = doorWith([]);
    const url = pattern.replace('PORT', String(port));
    const verdict = await door.judge(url);
    const result = await door.send({ method: 'POST', url, body: 'logout_token=x', timeoutMs: 1_000 });
    const fetched: unknown = await door.fetch(url).catch((error: unknown) => error);
    await door.close();

    expect(verdict).toEqual({ allowed: false, error: expect.stringMatching(why) });
    expect(result).toEqual({ kind: 'refused-address', error: (verdict as { error: string }).error, durationMs: expect.any(Number) });
    expect(fetched).toMatchObject({ name: 'TypeError', message: expect.stringMatching(why) });
    expect(JSON.stringify([verdict, result, String(fetched)])).not.toContain('S3CRET');
    expect(connects).not.toHaveBeenCalled();
    expect(accepted).toBe(0);
    expect(refused.count).toBe(2);
  });

  test('the counters do count: a listed network is reached', async () => {
    const { door } = doorWith(['127.0.0.0/8']);
    for (const host of ['127.0.0.1', 'loopback.test', '[::ffff:127.0.0.1]', '2130706433']) {
      const url = `http://${host}:${port}/`;
      expect(await door.judge(url)).toEqual({ allowed: true, resolved: true });
      expect(await door.send({ method: 'GET', url, timeoutMs: 1_000 })).toMatchObject({ kind: 'response', status: 200, body: 'ok' });
    }
    await door.close();
    expect(connects).toHaveBeenCalledTimes(4);
    expect(accepted).toBe(4);
  });
});

describe('a listed network opens itself and nothing else', () => {
  test.each([
    ['http://10.0.0.5/', false],
    ['http://192.168.7.7/', true],
    ['https://192.168.7.7/', true],
    ['http://192.168.8.1/', false],
    ['http://[::ffff:192.168.7.7]/', true],
    ['https://[2002:c0a8:707::]/', false],
    ['http://93.184.215.14/', false],
    ['https://93.184.215.14/', true],
    ['https://169.254.169.254/', false],
  ])('%s', async (url, allowed) => {
    const { door } = doorWith(['192.168.7.0/24', '169.254.0.0/16']);
    expect((await door.judge(url)).allowed).toBe(allowed);
    await door.close();
  });
});

describe('BCL-6 a name that resolves differently the second time (DNS rebinding)', () => {
  const turns = (...answers: string[][]) => {
    let turn = 0;
    return jest.fn(async (_name: string) => Promise.resolve(answers[Math.min(turn++, answers.length - 1)] ?? []));
  };

  test('good at registration, inward at delivery: refused, no socket', async () => {
    const lookup = turns(['93.184.215.14'], ['127.0.0.1']);
    const { door } = doorWith([], lookup);
    const url = `https://rebind.test:${port}/`;
    expect(await door.judge(url)).toEqual({ allowed: true, resolved: true });
    expect(await door.send({ method: 'GET', url, timeoutMs: 1_000 })).toMatchObject({
      kind: 'refused-address',
      error: expect.stringContaining('loopback'),
    });
    expect(connects).not.toHaveBeenCalled();
    expect(accepted).toBe(0);
    await door.close();
  });

  test('the socket goes to the address that was judged: the name is asked once a connection, and never by the socket itself', async () => {
    const lookup = turns(['127.0.0.1'], ['10.0.0.5']);
    const { door } = doorWith(['127.0.0.0/8'], lookup);
    const url = `http://rebind.test:${port}/`;
    expect(await door.send({ method: 'GET', url, timeoutMs: 1_000 })).toMatchObject({ kind: 'response', status: 200 });
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(accepted).toBe(1);
    // That connection was closed by the server: the next one is judged anew.
    expect(await door.send({ method: 'GET', url, timeoutMs: 1_000 })).toMatchObject({
      kind: 'refused-address',
      error: expect.stringContaining('10.0.0.5 is private'),
    });
    expect(lookup).toHaveBeenCalledTimes(2);
    expect(accepted).toBe(1);
    expect(connects).toHaveBeenCalledTimes(1);
    await door.close();
  });
});

describe('names', () => {
  test('one that does not resolve may be registered and is a failure at delivery', async () => {
    const { door, refused } = doorWith([]);
    expect(await door.judge('https://not-yet.test/')).toEqual({ allowed: true, resolved: false });
    expect(await door.send({ method: 'GET', url: 'https://not-yet.test/', timeoutMs: 1_000 })).toMatchObject({
      kind: 'failed',
      code: 'dns',
      error: expect.stringContaining('ENOTFOUND'),
    });
    expect(refused.count).toBe(0);
    await door.close();
  });

  test('one without addresses is a failure of resolution', async () => {
    const { door } = doorWith([], async () => Promise.resolve([]));
    expect(await door.judge('https://empty.test/')).toEqual({ allowed: true, resolved: false });
    expect(await door.send({ method: 'GET', url: 'https://empty.test/', timeoutMs: 1_000 })).toMatchObject({
      kind: 'failed',
      code: 'dns',
      error: 'empty.test has no address',
    });
    await door.close();
  });

  test('a resolver that never answers holds up registration for 2 s and delivery for the connect timeout', async () => {
    const { door } = doorWith([], async () => new Promise<never>(() => undefined));
    const started = performance.now();
    expect(await door.send({ method: 'GET', url: 'https://silent.test/', timeoutMs: 5_000 })).toMatchObject({
      kind: 'failed',
      code: 'dns',
      error: expect.stringContaining('500 ms'),
    });
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(await door.judge('https://silent.test/')).toEqual({ allowed: true, resolved: false });
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(connects).not.toHaveBeenCalled();
    await door.close();
  });

  test('many connections at once to one name ask once', async () => {
    const lookup = jest.fn(async () => new Promise<string[]>((found) => setTimeout(found, 20, ['127.0.0.1'])));
    const { door } = doorWith(['127.0.0.0/8'], lookup);
    const results = await Promise.all(
      Array.from({ length: 4 }, async () => door.send({ method: 'GET', url: `http://busy.test:${port}/`, timeoutMs: 2_000 })),
    );
    expect(results.map((result) => result.kind)).toEqual(['response', 'response', 'response', 'response']);
    expect(lookup).toHaveBeenCalledTimes(1);
    await door.close();
  });
});
