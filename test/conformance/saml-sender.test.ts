import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { SamlSoapChannel } from '#channels';
import type { AttemptResult } from '#channels';
import { Egress } from '#platform/egress';
import { envelope, makeCredential, makePeer, newId, readSigned } from '../support/saml-peer.js';
import { samlMessage } from '../support/saml-message.js';
import type { SamlMessageChange } from '../support/saml-message.js';
import { makeSigner } from '../support/saml-signer.js';

const IDP = 'https://idp.example/metadata';
const ENTITY_ID = 'https://sp.example/metadata';
const LIMIT_BYTES = 64 * 1024;
const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';

interface Received {
  url: string;
  method: string;
  headers: IncomingMessage['headers'];
  body: string;
}
type Answer = (response: ServerResponse, request: Received) => void;

const peer = makePeer(ENTITY_ID);
const signer = makeSigner();
const sockets = new Set<Socket>();
let server: Server;
let address: string;
let answer: Answer;
let received: Received[];
let egress: Egress;
let channel: SamlSoapChannel;

beforeAll(async () => {
  egress = new Egress({
    allowPrivateNetworks: ['127.0.0.1/32'],
    connectTimeoutMs: 2_000,
    responseLimitBytes: LIMIT_BYTES,
    documentLimitBytes: LIMIT_BYTES,
    maxSocketsPerOrigin: 16,
  });
  channel = new SamlSoapChannel(
    {
      signers: { signerFor: () => Promise.resolve({ entityId: IDP, signer }) },
      clock: { now: () => new Date() },
      settings: { requestLifetimeSeconds: 300, messageMaxAgeSeconds: 300, clockSkewSeconds: 60 },
    },
    egress,
  );
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', method = '', headers } = request;
      received.push({ url, method, headers, body: Buffer.concat(chunks).toString() });
      answer(response, received.at(-1)!);
    });
  });
  server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await egress.close();
});

beforeEach(() => {
  received = [];
  answer = says('Success');
});

const idOf = ({ body }: Received): string => /<samlp:LogoutRequest [^>]*\bID="([^"]+)"/.exec(body)![1]!;

/** A signed answer to the request. @param change what is not as it should be */
function signedAnswer(request: Received, status: string, change: { inResponseTo?: string; issuer?: string } = {}): string {
  return peer.sign(peer.response({ inResponseTo: idOf(request), destination: null, status, ...change }));
}
const says =
  (status: string, httpStatus = 200): Answer =>
  (response, request) =>
    void response.writeHead(httpStatus, { 'content-type': 'text/xml' }).end(envelope(signedAnswer(request, status)));
const writes =
  (httpStatus: number, body: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(httpStatus, { 'content-type': 'text/html', ...headers }).end(body);

function send(change: SamlMessageChange = {}, location = `${address}/slo?app=1`): Promise<AttemptResult> {
  const entity = { entityId: ENTITY_ID, signingCertificates: [peer.certificate], ...change.entity };
  return channel.send(samlMessage('soap', location, { ...change, entity }));
}

describe('the request', () => {
  it('SLO-57, SLO-61, SLO-80 is a signed LogoutRequest, alone in the Body of a SOAP 1.1 envelope', async () => {
    const { jti } = await send();
    const [{ method, url, headers, body }] = received as [Received];
    expect([method, url, headers['content-type']]).toEqual(['POST', '/slo?app=1', 'text/xml; charset=utf-8']);
    expect(body).toMatch(
      new RegExp(
        `^<soap:Envelope xmlns:soap="${SOAP}"><soap:Body><samlp:LogoutRequest .*</samlp:LogoutRequest></soap:Body></soap:Envelope>$`,
        's',
      ),
    );
    expect(readSigned(body, signer.certificate)).toMatchObject({
      root: 'LogoutRequest',
      id: jti,
      issuer: IDP,
      destination: `${address}/slo?app=1`,
      nameId: 'alice@example.org',
      sessionIndexes: ['_s1', '_s2'],
    });
  });

  it('SLO-58, SLO-60 has a SOAPAction, and must not be cached', async () => {
    await send();
    expect(received[0]!.headers).toMatchObject({
      soapaction: '"http://www.oasis-open.org/committees/security"',
      'cache-control': 'no-cache, no-store',
      pragma: 'no-cache',
    });
  });

  it('SLO-2, SLO-88 has a new ID on every attempt, which the result names', async () => {
    const results = [await send(), await send({ attemptNumber: 2 })];
    expect(results.map(({ jti }) => jti)).toEqual(received.map(idOf));
    expect(new Set(received.map(idOf)).size).toBe(2);
  });

  it('is not sent when the channel cannot carry it', async () => {
    expect(await send({ saml: null })).toEqual({ result: 'unusable', error: expect.stringContaining('needs a NameID') });
    expect(await send({ entity: { validUntil: '2020-01-01T00:00:00Z' } })).toMatchObject({ result: 'unusable' });
    expect(await send({ config: { encryptNameId: true } })).toMatchObject({ result: 'unusable' });
    expect(received).toEqual([]);
  });

  it('SLO-11 names nobody in clear when the NameID is encrypted', async () => {
    const encryptionKeys = [{ certificate: peer.certificate, methods: [] }];
    expect((await send({ config: { encryptNameId: true }, entity: { encryptionKeys } })).result).toBe('confirmed');
    expect(received[0]!.body).toContain('<saml:EncryptedID ');
    expect(received[0]!.body).not.toContain('alice');
  });
});

describe('a believed answer', () => {
  it.each([
    ['SLO-17', 'Success', 'confirmed'],
    ['SLO-18', 'Success/PartialLogout', 'partial'],
    ['SLO-19', 'Responder/PartialLogout', 'partial'],
    ['SLO-20', 'Requester/RequestDenied', 'refused'],
    ['SLO-20', 'Requester/UnknownPrincipal', 'refused'],
    ['SLO-21', 'Requester', 'refused'],
    ['SLO-16', 'Responder', 'failed'],
  ])('%s with %s is %s', async (_, status, result) => {
    answer = says(status);
    const got = await send();
    expect(got).toMatchObject({ result, httpStatus: 200, jti: idOf(received[0]!) });
    expect(got.error).toBe(status === 'Success' ? undefined : `answered ${status}`);
  });

  it.each([200, 202, 400, 403, 500, 503])('SLO-59 counts whatever the HTTP status is: %s', async (httpStatus) => {
    answer = says('Success', httpStatus);
    expect(await send()).toMatchObject({ result: 'confirmed', httpStatus });
    answer = says('Requester/RequestDenied', httpStatus);
    expect(await send()).toMatchObject({ result: 'refused', httpStatus });
  });

  it('SLO-95 may be signed with any of the keys in the metadata', async () => {
    const signingCertificates = [makeCredential('before').certificate, peer.certificate];
    expect(await send({ entity: { signingCertificates } })).toMatchObject({ result: 'confirmed' });
  });
});

describe('an answer that is not believed is no outcome, and may be another one next time', () => {
  it.each<[string, Answer, RegExp]>([
    [
      'SLO-61, SLOX-10 is not signed',
      (response, request) =>
        void response.end(envelope(peer.response({ inResponseTo: idOf(request), destination: null, status: 'Success' }))),
      /SLO-8\d/,
    ],
    [
      'SLO-75 is signed with a key that is not in the metadata',
      (response, request) => {
        const xml = peer.response({ inResponseTo: idOf(request), destination: null, status: 'Success' });
        response.end(envelope(peer.sign(xml, makeCredential('mallory'))));
      },
      /SLO-\d+/,
    ],
    [
      'SLO-82 was changed after it was signed',
      (response, request) => void response.end(envelope(signedAnswer(request, 'Responder').replace('status:Responder', 'status:Success'))),
      /SLO-8\d/,
    ],
    [
      'SLO-13, SLOX-14 is an answer to another request',
      (response, request) => void response.end(envelope(signedAnswer(request, 'Success', { inResponseTo: newId() }))),
      /SLO-13: it is in response to _[0-9a-f]{40}; wanted is _[0-9a-f]{40}/,
    ],
    [
      'SLO-14, SLOX-14 is from another entity',
      (response, request) => void response.end(envelope(signedAnswer(request, 'Success', { issuer: 'https://other.example' }))),
      /SLO-\d+/,
    ],
    [
      'is a request',
      (response) => void response.end(envelope(peer.sign(peer.request({ nameId: 'alice' })))),
      /a LogoutRequest where a LogoutResponse is wanted/,
    ],
  ])('%s', async (_, how, why) => {
    answer = how;
    const got = await send();
    expect(got).toMatchObject({ result: 'failed', httpStatus: 200, jti: idOf(received[0]!) });
    expect(got.error).toMatch(why);
  });

  it('SLO-13 is the answer to the attempt before', async () => {
    await send();
    const before = received[0]!;
    answer = (response) => void response.end(envelope(signedAnswer(before, 'Success')));
    expect(await send({ attemptNumber: 2 })).toMatchObject({ result: 'failed', error: expect.stringContaining('SLO-13') });
  });
});

describe('without a SAML answer', () => {
  const page = '<!DOCTYPE html><html><body>Please <b>log in</b></body></html>';
  const fault = (code: string) =>
    `<S:Envelope xmlns:S="${SOAP}"><S:Body><S:Fault><faultcode>S:${code}</faultcode><faultstring>no &amp; why</faultstring></S:Fault></S:Body></S:Envelope>`;

  it.each([
    [200, 'failed'],
    [204, 'failed'],
    [500, 'failed'],
    [502, 'failed'],
    [503, 'failed'],
    [408, 'failed'],
    [425, 'failed'],
    [429, 'failed'],
    [400, 'refused'],
    [401, 'refused'],
    [403, 'refused'],
    [404, 'refused'],
    [405, 'refused'],
  ])('SLO-59 a page with status %s is %s', async (httpStatus, result) => {
    answer = writes(httpStatus, httpStatus === 204 ? '' : page);
    const got = await send();
    expect(got).toMatchObject({ result, httpStatus });
    expect(got.error).toMatch(new RegExp(`^answered ${httpStatus} without a SAML message`));
    if (httpStatus !== 204) expect(got.error).toContain('Please log in');
  });

  it.each([
    ['Client', 'refused'],
    ['MustUnderstand', 'refused'],
    ['VersionMismatch', 'refused'],
    ['Server', 'failed'],
  ])('SLO-59 a fault %s is %s', async (code, result) => {
    answer = writes(500, fault(code), { 'content-type': 'text/xml' });
    expect(await send()).toMatchObject({ result, httpStatus: 500, error: `answered 500 with a SOAP fault ${code}: no & why` });
  });

  it('takes a request to be left alone', async () => {
    answer = writes(503, page, { 'retry-after': '7' });
    expect(await send()).toMatchObject({ result: 'failed', retryAfterMs: 7_000 });
  });

  it('follows no redirect', async () => {
    answer = (response, request) =>
      request.url === '/elsewhere'
        ? says('Success')(response, request)
        : void response.writeHead(307, { location: '/elsewhere?secret=1' }).end();
    const got = await send();
    expect(got).toMatchObject({
      result: 'refused',
      httpStatus: 307,
      error: expect.stringContaining('a redirect to /elsewhere, which is never followed'),
    });
    expect(received).toHaveLength(1);
  });

  it('gives up in time', async () => {
    answer = () => undefined;
    const started = Date.now();
    const got = await send({ timeoutMs: 300 });
    expect(got).toMatchObject({ result: 'failed', jti: idOf(received[0]!), error: expect.stringMatching(/^timeout: /) });
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  it('reads no more than the limit, whatever it is', async () => {
    answer = (response, request) => void response.end(envelope(signedAnswer(request, 'Success')) + ' '.repeat(LIMIT_BYTES));
    expect(await send()).toMatchObject({ result: 'failed', httpStatus: 200, error: expect.stringContaining('more than we read') });
  });

  it('does not keep the NameID that was echoed', async () => {
    answer = writes(500, 'no session of alice@example.org here');
    expect((await send()).error).toContain('no session of [NameID] here');
  });

  it('survives what is no XML at all', async () => {
    for (const body of ['\u0000\u0001', '<', `<a ${'b'.repeat(1_000)}`, '{"error":"x"}', '\ufeff']) {
      answer = writes(200, body);
      expect(await send()).toMatchObject({ result: 'failed', httpStatus: 200 });
    }
  });
});

describe('SLO-73 with several endpoints', () => {
  const at = (...locations: string[]) => ({ endpoints: locations.map((location) => ({ binding: 'soap' as const, location })) });
  let closed: string;

  beforeAll(async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    closed = `http://127.0.0.1:${(other.address() as AddressInfo).port}/slo`;
    await new Promise((resolve) => other.close(resolve));
  });

  it('goes on to the next where one cannot be connected to, with its own Destination', async () => {
    const got = await send(at(closed, `${address}/second`, `${address}/third`));
    expect(got).toMatchObject({ result: 'confirmed' });
    expect(received.map(({ url }) => url)).toEqual(['/second']);
    expect(readSigned(received[0]!.body, signer.certificate)).toMatchObject({ id: got.jti, destination: `${address}/second` });
  });

  it('stays with the first that was reached, whatever it says', async () => {
    answer = writes(500, '');
    expect(await send(at(`${address}/first`, `${address}/second`))).toMatchObject({ result: 'failed', httpStatus: 500 });
    answer = (response) => void response.socket!.destroy();
    expect(await send(at(`${address}/first`, `${address}/second`))).toMatchObject({
      result: 'failed',
      error: expect.stringMatching(/^reset: /),
    });
    expect(received.map(({ url }) => url)).toEqual(['/first', '/first']);
  });

  it('fails, to be tried again, when none can be connected to', async () => {
    expect(await send(at(closed, closed))).toMatchObject({ result: 'failed', error: expect.stringMatching(/^connect: /) });
  });

  it('goes past an address that is not allowed; alone it is a final no', async () => {
    const forbidden = 'http://10.0.0.1/slo';
    expect(await send(at(forbidden, `${address}/second`))).toMatchObject({ result: 'confirmed' });
    expect(await send(at(forbidden, closed))).toMatchObject({ result: 'failed' });
    expect(await send(at(closed, forbidden))).toMatchObject({ result: 'failed' });
    expect((await send(at(forbidden))).result).toBe('refused');
  });
});

it('throws when we cannot sign, for that is our own fault', async () => {
  const broken = new SamlSoapChannel(
    {
      signers: { signerFor: () => Promise.resolve({ entityId: IDP, signer: { ...signer, algorithm: 'ecdsa-sha256' } }) },
      clock: { now: () => new Date() },
      settings: { requestLifetimeSeconds: 300, messageMaxAgeSeconds: 300, clockSkewSeconds: 60 },
    },
    egress,
  );
  await expect(broken.send(samlMessage('soap', `${address}/slo`))).rejects.toThrow('ecdsa-sha256 needs a private ec key');
  expect(received).toEqual([]);
});
