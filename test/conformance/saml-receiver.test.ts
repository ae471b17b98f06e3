import 'reflect-metadata';
import { createPublicKey, createSign } from 'node:crypto';
import * as xmlEncryption from 'xml-encryption';
import { BrowserLogout } from '#coordinator';
import type { FlowState } from '#coordinator';
import { SamlKeys } from '#registry';
import { AnswerInitiator } from '../../src/intake/saml/index.js';
import { envelope, makeCredential, makePeer, newId, readRedirect, readSigned } from '../support/saml-peer.js';
import type { Binding, Endpoint, ReadMessage, RequestParts, SamlPeer } from '../support/saml-peer.js';
import { startSamlSpSink } from '../support/saml-sp-sink.js';
import type { SamlBehaviour, SamlSpSink } from '../support/saml-sp-sink.js';
import { eventually, startService } from '../support/service.js';
import type { Answer, Service } from '../support/service.js';
import { startSpSink } from '../support/sp-sink.js';
import type { SpSink } from '../support/sp-sink.js';
import { stateDigest } from '../support/state-digest.js';

const FORM = 'application/x-www-form-urlencoded';
const IDP = 'idp';
const IDP_ENTITY = 'https://idp.example/saml';
/** Of the SOAP initiator. Milliseconds. */
const ANSWER_WITHIN = 1_500;

let service: Service;
let soapSps: SamlSpSink;
let oidcSps: SpSink;
let ours: string;
let idp: SamlPeer;
let lines: string[];
let next = 0;
/** Keys take long to make, and nobody here looks at whose they are but by the entity. */
const credentials = [makeCredential('one'), makeCredential('two'), makeCredential('three'), makeCredential('four')];

beforeAll(async () => {
  lines = [];
  soapSps = await startSamlSpSink();
  oidcSps = await startSpSink();
  service = await startService({ saml: { soapAnswerWithinMs: ANSWER_WITHIN }, log: (line) => void lines.push(line) });
  idp = makePeer(IDP_ENTITY, credentials[3]);
  const metadataXml = idp.metadata({
    role: 'idp',
    endpoints: [front('redirect', 'the-idp'), { binding: 'soap', location: soapSps.uri('the-idp') }],
  });
  const oidc = { issuer: 'https://idp.example', jwksUri: 'https://idp.example/jwks' };
  await made(service.call('POST', '/v1/identity-providers', { id: IDP, name: IDP, oidc, saml: { metadataXml } }));
  const other = makePeer('https://other.example/saml', credentials[2]);
  await made(
    service.call('POST', '/v1/identity-providers', { id: 'other', name: 'other', saml: { metadataXml: other.metadata({ role: 'idp' }) } }),
  );
  await made(
    service.call('POST', '/v1/identity-providers', { id: 'oidc-only', name: 'oidc-only', oidc: { ...oidc, issuer: 'https://o.example' } }),
  );
  ours = (await service.app.get(SamlKeys, { strict: false }).signerFor(IDP)).signer.certificate;
});
afterAll(async () => {
  await service?.stop();
  await soapSps.close();
  await oidcSps.close();
});

async function made(answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer;
  expect({ status, body }).toMatchObject({ status: 201 });
}

const unique = (name: string): string => `${name}-${++next}`;
const front = (binding: 'redirect' | 'post', sp: string): Endpoint => ({ binding, location: soapSps.uri(`${sp}/${binding}`) });

interface Sp {
  id: string;
  peer: SamlPeer;
}

interface SpParts {
  /** In the order of preference. Default: SOAP. */
  endpoints?: (id: string) => Endpoint[];
  bindings?: Binding[];
  behaviour?: SamlBehaviour;
  mayEndRoot?: boolean;
  enabled?: boolean;
  certificates?: string[];
  idp?: string;
  allowSha1?: boolean;
}

async function registerSp(parts: SpParts = {}): Promise<Sp> {
  const id = unique('sp');
  const peer = makePeer(`https://${id}.example/saml`, credentials[next % 3]);
  const endpoints = parts.endpoints?.(id) ?? [{ binding: 'soap' as const, location: soapSps.uri(id) }];
  const bindings = parts.bindings ?? [...new Set(endpoints.map((endpoint) => endpoint.binding))];
  const certificates = parts.certificates === undefined ? {} : { certificates: parts.certificates };
  const saml = {
    type: 'saml',
    allowSha1: parts.allowSha1 ?? false,
    metadataXml: peer.metadata({ endpoints, ...certificates }),
    ...(bindings.length === 0 ? {} : { bindings }),
  };
  const { mayEndRoot = true, enabled = true } = parts;
  const body = { id, name: id, idp: parts.idp ?? IDP, layer: 'sp', channels: [saml], mayEndRoot, enabled };
  await made(service.call('POST', '/v1/service-providers', body));
  soapSps.host(id, peer, parts.behaviour);
  return { id, peer };
}

async function registerRp(behaviour?: number): Promise<string> {
  const id = unique('rp');
  const channels = [{ type: 'oidc-backchannel', clientId: id, uri: oidcSps.uri(id), signingAlg: 'ES256' }];
  await made(service.call('POST', '/v1/service-providers', { id, name: id, idp: IDP, layer: 'sp', channels }));
  if (behaviour !== undefined) oidcSps.behave(id, behaviour);
  return id;
}

/** One person's session at the IdP, and its sessions at SPs. */
interface Login {
  sid: string;
  nameId: string;
  /** SessionIndex of the session at that SP. */
  indexAt(sp: string | Sp): string;
}

async function signIn(...sps: (Sp | string)[]): Promise<Login> {
  const sid = unique('sid');
  const nameId = unique('person');
  const at = (sp: string | Sp) => `_${sid}-${typeof sp === 'string' ? sp : sp.id}`;
  const events = [
    {
      id: unique('e'),
      type: 'session.started',
      idp: IDP,
      handles: { sid, sub: nameId, nameId: { value: nameId }, sessionIndex: `_${sid}` },
    },
    ...sps.map((sp) => {
      const own = typeof sp === 'string' ? { sid: at(sp) } : { nameId: { value: nameId }, sessionIndex: at(sp) };
      return { id: unique('e'), type: 'session.joined', idp: IDP, parent: { sid }, sp: typeof sp === 'string' ? sp : sp.id, handles: own };
    }),
  ];
  const { body } = await service.call<{ results: { status: string }[] }>('POST', '/v1/events', { events });
  expect(body.results.map((result) => result.status)).toEqual(events.map(() => 'accepted'));
  return { sid, nameId, indexAt: at };
}

/** EncryptedData, by the library of the field alone. */
function encryptTo(
  content: string,
  certificate: string,
  algorithms: { encryptionAlgorithm: string; keyEncryptionAlgorithm: string },
): Promise<string> {
  // The package has no types of its own.
  const { encrypt } = xmlEncryption as unknown as {
    encrypt(content: string, options: object, done: (error: Error | null, data: string) => void): void;
  };
  const rsa_pub = createPublicKey(certificate).export({ type: 'spki', format: 'pem' });
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, data: string): void => (error ? reject(error) : resolve(data));
    encrypt(
      content,
      { rsa_pub, pem: certificate, ...algorithms, disallowEncryptionWithInsecureAlgorithm: false, warnInsecureAlgorithm: false },
      done,
    );
  });
}

/** How many of the sessions of a login live. */
async function living({ sid }: Login): Promise<number> {
  const [row] = await service.database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM sessions WHERE state = 'live' AND (sid LIKE $1 OR session_index LIKE $2)`,
    [`%${sid}`, `_${sid}%`],
  );
  return row!.n;
}

const endpoint = (idpId = IDP): string => `${service.url}/saml/slo/${idpId}`;
const soapEndpoint = (idpId = IDP): string => `${endpoint(idpId)}/soap`;

/** A request of this SP for a session of this login. */
function requestOf(sp: Sp, login: Login, binding: Binding, more: RequestParts = {}): string {
  return sp.peer.request({
    destination: binding === 'soap' ? soapEndpoint() : endpoint(),
    nameId: login.nameId,
    sessionIndexes: [login.indexAt(sp)],
    ...more,
  });
}

const get = (url: string, init: RequestInit = {}) => fetch(url, { redirect: 'manual', ...init });
const post = (fields: Record<string, string>, url = endpoint(), init: RequestInit = {}) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), ...init });
const base64 = (xml: string): string => Buffer.from(xml).toString('base64');

const sendSoap = (body: string, { url = soapEndpoint(), type = 'text/xml', headers = {} } = {}) =>
  fetch(url, { method: 'POST', headers: { 'content-type': type, ...headers }, body });

/** The signed answer over SOAP. */
async function answerTo(xml: string, url = soapEndpoint()): Promise<ReadMessage> {
  const response = await sendSoap(envelope(xml), { url });
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 200 });
  return readSigned(text, ours);
}

const state = () => stateDigest(service.database);

/** Nothing is on its way any more, so that whatever changes was changed by what is sent next. */
async function quiet(): Promise<void> {
  await service.database.query(`UPDATE logouts SET deadline_at = now() WHERE completed_at IS NULL`);
  await eventually(state, () => true);
}

/** A page for a person, that says nothing of what was sent. */
async function expectPage(response: Response, status: number, sent: string[] = []): Promise<void> {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status });
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  expectNeverStored(response);
  for (const one of sent) expect(text).not.toContain(one);
}

/** @see SLO-54, SLO-60 */
function expectNeverStored({ headers }: Response): void {
  expect(headers.get('cache-control')).toMatch(/no-cache, no-store/);
  expect(headers.get('pragma')).toBe('no-cache');
  expect([headers.get('etag'), headers.get('last-modified')]).toEqual([null, null]);
}

/** The secret of the flow that the browser is sent to. */
function tokenOf(response: Response): string {
  expect(response.status).toBe(303);
  expectNeverStored(response);
  const location = response.headers.get('location')!;
  expect(location.startsWith(`${service.url}/logout/`)).toBe(true);
  return location.slice(`${service.url}/logout/`.length);
}

const flows = (): BrowserLogout => service.app.get(BrowserLogout, { strict: false });
const settled = (token: string): Promise<FlowState | null> =>
  eventually(
    () => flows().read(token),
    (flow) => flow?.isSettled === true,
  );

/** What the initiator is sent at the end of the flow. */
async function answerOf(token: string) {
  const flow = await flows().finish(token);
  return service.app.get(AnswerInitiator, { strict: false }).answer(flow!);
}

async function redirectAnswerOf(token: string): Promise<ReadMessage & { url: string }> {
  const answer = await answerOf(token);
  if (answer?.method !== 'redirect') throw new Error(`no redirect: ${JSON.stringify(answer)}`);
  return { ...readRedirect(answer.url, ours), url: answer.url };
}

interface Ledger {
  verdict: string;
  cause: string;
  deliveries: { sp: string; outcome: string; attempts: unknown[] }[];
}
async function logoutOf(login: Login): Promise<{ id: string }> {
  const [row] = await service.database.query<{ id: string }>(`SELECT ended_by AS id FROM sessions WHERE sid = $1 AND layer = 'idp'`, [
    login.sid,
  ]);
  return row!;
}
const ledgerOf = async (login: Login): Promise<Ledger> =>
  (await service.call<Ledger>('GET', `/v1/logouts/${(await logoutOf(login)).id}`)).body;
const outcomesOf = async (login: Login) =>
  Object.fromEntries(
    (await ledgerOf(login)).deliveries.map(({ sp, outcome }) => [typeof sp === 'string' ? sp : (sp as { id: string }).id, outcome]),
  );

const byRedirect = { endpoints: (id: string): Endpoint[] => [front('redirect', id)] };
const byPost = { endpoints: (id: string): Endpoint[] => [front('post', id)] };

describe('an SP asks over SOAP', () => {
  it('SLO-15 SLO-17 SLO-23 SLO-26 SLO-62 SLO-90 SLO-93 its session, the one above and all others end; all are told; Success', async () => {
    const [a, b, c] = [await registerSp(), await registerSp(), await registerRp()];
    const login = await signIn(a, b, c);
    const xml = a.peer.sign(requestOf(a, login, 'soap'));
    expect(await answerTo(xml)).toMatchObject({ root: 'LogoutResponse', status: 'Success', issuer: IDP_ENTITY });
    expect(await living(login)).toBe(0);
    expect(await ledgerOf(login)).toMatchObject({ verdict: 'complete', cause: 'user' });
    expect(await outcomesOf(login)).toEqual({ [a.id]: 'confirmed', [b.id]: 'confirmed', [c]: 'confirmed' });
    expect(soapSps.of(b.id)).toHaveLength(1);
    expect(oidcSps.of(c)).toHaveLength(1);
  });

  it('SLO-25 SLO-31 the one who asks is not sent its own request back', async () => {
    const [a, b] = [await registerSp(), await registerSp()];
    const login = await signIn(a, b);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    expect(soapSps.of(a.id)).toEqual([]);
  });

  it('SLO-12 SLO-13 SLO-14 SLO-61 the answer names the request, is signed, and comes from the identity provider', async () => {
    const a = await registerSp();
    const id = newId();
    const answer = await answerTo(a.peer.sign(requestOf(a, await signIn(a), 'soap', { id })));
    expect(answer).toMatchObject({ inResponseTo: id, issuer: IDP_ENTITY, destination: null });
    expect(answer.id).toMatch(/^_[0-9a-f]{40}$/);
  });

  it('SLO-57 SLO-58 SLO-60 it needs no SOAPAction nor any other header, and the answer is never stored', async () => {
    const a = await registerSp();
    for (const soapAction of [undefined, '', '""', '"http://www.oasis-open.org/committees/security"', 'nonsense']) {
      const login = await signIn(a);
      const headers: Record<string, string> = soapAction === undefined ? {} : { soapaction: soapAction };
      const response = await sendSoap(envelope(a.peer.sign(requestOf(a, login, 'soap'))), { headers, type: 'text/xml; charset=utf-8' });
      expect(readSigned(await response.text(), ours).status).toBe('Success');
      expect(response.headers.get('content-type')).toBe('text/xml; charset=utf-8');
      expect(response.headers.get('cache-control')).toBe('no-cache, no-store, must-revalidate, private');
      expectNeverStored(response);
    }
  });

  it('SLO-18 SLO-30 SLO-93 three SPs, one dead: Success/PartialLogout in time; when it is back it is told without help, and all is complete', async () => {
    const [a, b, c] = [await registerSp(), await registerSp(), await registerRp(503)];
    const login = await signIn(a, b, c);
    const begun = performance.now();
    const answer = await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    expect(answer.status).toBe('Success/PartialLogout');
    expect(performance.now() - begun).toBeLessThan(ANSWER_WITHIN + 2_000);
    expect(await living(login)).toBe(0);
    expect(await outcomesOf(login)).toMatchObject({ [a.id]: 'confirmed', [b.id]: 'confirmed', [c]: 'retrying' });
    oidcSps.behave(c, 200);
    await eventually(
      () => ledgerOf(login),
      ({ verdict }) => verdict === 'complete',
    );
  });

  it('SLO-18 SLO-30 the same with a SAML SP that is dead', async () => {
    const [a, b, c] = [await registerSp(), await registerSp(), await registerSp({ behaviour: 503 })];
    const login = await signIn(a, b, c);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'confirmed', [c.id]: 'retrying' });
    soapSps.host(c.id, c.peer);
    await eventually(
      () => ledgerOf(login),
      ({ verdict }) => verdict === 'complete',
    );
  });

  it('SLO-28 SPs that need a browser are not confirmed, and nobody waits for one', async () => {
    const [a, b] = [await registerSp(), await registerSp(byRedirect)];
    const login = await signIn(a, b);
    const begun = performance.now();
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect(performance.now() - begun).toBeLessThan(ANSWER_WITHIN);
    expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'awaiting-browser' });
  });

  it('SLO-19 an SP that answers PartialLogout makes it a partial one', async () => {
    const [a, b] = [await registerSp(), await registerSp({ behaviour: 'Responder/PartialLogout' })];
    const login = await signIn(a, b);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'partial' });
  });

  it('SLO-17 an SP that may not end the session above ends its own, and is told so', async () => {
    const [a, b] = [await registerSp({ mayEndRoot: false }), await registerSp()];
    const login = await signIn(a, b);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Responder/PartialLogout');
    expect(await living(login)).toBe(2);
    expect(soapSps.of(b.id)).toEqual([]);
  });

  it('SLO-22 what is unknown, or has ended before, is a success', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const ask = (more: RequestParts = {}) => answerTo(a.peer.sign(requestOf(a, login, 'soap', more)));
    expect((await ask({ nameId: 'nobody' })).status).toBe('Success');
    expect((await ask()).status).toBe('Success');
    expect((await ask()).status).toBe('Success');
  });

  it('SLO-22 what is ending still is answered by how that stands', async () => {
    const [a, b] = [await registerSp(), await registerSp({ behaviour: 503 })];
    const login = await signIn(a, b);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    soapSps.host(b.id, b.peer);
    await eventually(
      () => ledgerOf(login),
      ({ verdict }) => verdict === 'complete',
    );
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success');
  });

  it('SLO-24 SLO-94 a login that comes after its logout is born dead', async () => {
    const a = await registerSp();
    const nameId = unique('late');
    const xml = a.peer.sign(
      a.peer.request({ destination: soapEndpoint(), nameId, sessionIndexes: ['_late'], notOnOrAfter: new Date(Date.now() + 300_000) }),
    );
    expect((await answerTo(xml)).status).toBe('Success');
    const sid = unique('sid');
    const events = [
      { id: unique('e'), type: 'session.started', idp: IDP, handles: { sid } },
      {
        id: unique('e'),
        type: 'session.joined',
        idp: IDP,
        parent: { sid },
        sp: a.id,
        handles: { nameId: { value: nameId }, sessionIndex: '_late' },
      },
    ];
    const { body } = await service.call<{ results: { status: string }[] }>('POST', '/v1/events', { events });
    expect(body.results[1]).toMatchObject({ status: 'session_ended' });
  });

  it('SLO-23 SLO-27 SLO-91 without a SessionIndex, with two, with an unknown one', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const second = {
      id: unique('e'),
      type: 'session.joined',
      idp: IDP,
      parent: { sid: login.sid },
      sp: a.id,
      handles: { nameId: { value: login.nameId }, sessionIndex: `${login.indexAt(a)}-2` },
    };
    await service.call('POST', '/v1/events', { events: [second] });
    const ask = (sessionIndexes: string[]) => answerTo(a.peer.sign(requestOf(a, login, 'soap', { sessionIndexes })));
    expect((await ask(['_unknown'])).status).toBe('Success');
    expect(await living(login)).toBe(3);
    await ask(['_unknown', `${login.indexAt(a)}-2`]);
    expect(await living(login)).toBe(0);
    const again = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, again, 'soap', { sessionIndexes: [] })));
    expect(await living(again)).toBe(0);
  });

  it('SLO-95 either of two signing keys is good', async () => {
    const a = await registerSp({ certificates: [credentials[3]!.certificate, credentials[0]!.certificate] });
    for (const by of [credentials[0]!, credentials[3]!]) {
      const login = await signIn(a);
      expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap'), by))).status).toBe('Success');
      expect(await living(login)).toBe(0);
    }
  });

  it('SLO-11 SLO-85 SLO-92 a NameID that is encrypted to us, and one that is encrypted as nobody should', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const [certificate] = (await service.app.get(SamlKeys, { strict: false }).certificates(IDP)).encryption;
    const encrypted = async (encryptionAlgorithm: string, keyEncryptionAlgorithm: string): Promise<string> => {
      const xml = requestOf(a, login, 'soap');
      const nameId = /<saml:NameID>.*<\/saml:NameID>/.exec(xml)![0];
      const content = nameId.replace('<saml:NameID', '<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"');
      const data = await encryptTo(content, certificate!, { encryptionAlgorithm, keyEncryptionAlgorithm });
      return a.peer.sign(xml.replace(nameId, `<saml:EncryptedID>${data}</saml:EncryptedID>`));
    };
    const oaep = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p';
    const before = await state();
    expect((await answerTo(await encrypted('http://www.w3.org/2001/04/xmlenc#aes128-cbc', oaep))).status).toBe('Requester');
    expect(await state()).toEqual(before);
    expect((await answerTo(await encrypted('http://www.w3.org/2009/xmlenc11#aes128-gcm', oaep))).status).toBe('Success');
    expect(await living(login)).toBe(0);
  });

  it('SLO-84 SHA-1 is taken from an SP that may, which is logged every time, and from no other', async () => {
    const [legacy, modern] = [await registerSp({ allowSha1: true }), await registerSp()];
    const login = await signIn(legacy, modern);
    const refused = await sendSoap(envelope(modern.peer.sign(requestOf(modern, login, 'soap'), modern.peer, 'sha1')));
    expect(refused.status).toBe(403);
    expect(await living(login)).toBe(3);
    lines.length = 0;
    expect((await answerTo(legacy.peer.sign(requestOf(legacy, login, 'soap'), legacy.peer, 'sha1'))).status).toBe('Success');
    expect(lines.join('')).toMatch(/"clause":"SLO-84","msg":"SAML message signed with SHA-1/);
  });

  it('design decision 1: when it is answered, all is written', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'soap'));
    await sendSoap(envelope(xml));
    expect(await living(login)).toBe(0);
    expect(await service.database.query('SELECT 1 FROM logouts WHERE id = $1', [(await logoutOf(login)).id])).toHaveLength(1);
  });

  it('SLO-6 the reason is kept as the cause', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap', { reason: 'urn:oasis:names:tc:SAML:2.0:logout:admin' })));
    expect(await ledgerOf(login)).toMatchObject({ cause: 'admin' });
  });
});

describe('OIDC and SAML logins of one session at the identity provider', () => {
  it('end together when the SAML side starts', async () => {
    const [a, rp] = [await registerSp(), await registerRp()];
    const login = await signIn(a, rp);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success');
    expect(await living(login)).toBe(0);
    expect(oidcSps.of(rp)).toHaveLength(1);
  });

  it('end together when the OIDC side starts', async () => {
    const [a, rp] = [await registerSp(), await registerRp()];
    const login = await signIn(a, rp);
    const wait = { headers: { prefer: 'wait=10' } };
    const target = { idp: IDP, sid: login.sid };
    expect((await service.call('POST', '/v1/logouts', { target, cause: 'user' }, wait)).body).toMatchObject({ verdict: 'complete' });
    expect(await living(login)).toBe(0);
    expect(oidcSps.of(rp)).toHaveLength(1);
    const [told] = soapSps.of(a.id);
    expect(readSigned(told!, ours)).toMatchObject({ root: 'LogoutRequest', nameId: login.nameId, sessionIndexes: [login.indexAt(a)] });
  });
});

describe('the identity provider itself asks: we are one of its SPs', () => {
  it('SLO-23 SLO-91 over SOAP: what it names ends, all are told, and we answer as its SP', async () => {
    const [a, rp] = [await registerSp(), await registerRp()];
    const login = await signIn(a, rp);
    const xml = idp.sign(idp.request({ destination: soapEndpoint(), nameId: login.nameId, sessionIndexes: [`_${login.sid}`] }));
    const answer = await answerTo(xml);
    const { participantEntityId } = await service.app.get(SamlKeys, { strict: false }).signerFor(IDP);
    expect(answer).toMatchObject({ status: 'Success', issuer: participantEntityId });
    expect(await living(login)).toBe(0);
    expect(soapSps.of(a.id)).toHaveLength(1);
    expect(await ledgerOf(login)).toMatchObject({ cause: 'unspecified' });
  });

  it('SLO-62 over Redirect the answer goes to its own metadata endpoint', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = idp.request({ destination: endpoint(), nameId: login.nameId });
    const token = tokenOf(await get(idp.redirect(endpoint(), xml, 'its state')));
    await settled(token);
    const answer = await redirectAnswerOf(token);
    expect(answer).toMatchObject({ status: 'Success', destination: soapSps.uri('the-idp/redirect'), relayState: 'its state' });
    expect(await living(login)).toBe(0);
  });
});

describe('a request comes with a browser', () => {
  it('SLO-40 SLO-52 SLO-62 SLO-72 SLO-90 Redirect in, Redirect out to the ResponseLocation with the RelayState', async () => {
    const responseLocation = soapSps.uri('back');
    const a = await registerSp({ endpoints: (id) => [{ ...front('redirect', id), responseLocation }] });
    const b = await registerSp();
    const login = await signIn(a, b);
    const id = newId();
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect', { id }), 'a b+c/é')));
    expect(await living(login)).toBe(0);
    await settled(token);
    const answer = await redirectAnswerOf(token);
    expect(answer).toMatchObject({
      status: 'Success',
      inResponseTo: id,
      destination: responseLocation,
      relayState: 'a b+c/é',
      issuer: IDP_ENTITY,
    });
    expect(answer.url.startsWith(`${responseLocation}?SAMLResponse=`)).toBe(true);
  });

  it('SLO-47 SLO-49 SLO-56 SLO-90 POST in, Redirect out where the SP takes answers so', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'post'));
    const wrapped = base64(xml).replace(/(.{76})/g, '$1\r\n');
    const token = tokenOf(await post({ SAMLRequest: wrapped, RelayState: 'r' }));
    expect(await redirectAnswerOf(token)).toMatchObject({ status: 'Success', relayState: 'r' });
    expect(await living(login)).toBe(0);
  });

  it('SLO-47 SLO-90 POST in, POST out, signed inside', async () => {
    const a = await registerSp(byPost);
    const login = await signIn(a);
    const token = tokenOf(await post({ SAMLRequest: base64(a.peer.sign(requestOf(a, login, 'post'))) }));
    const answer = await answerOf(token);
    if (answer?.method !== 'post') throw new Error('no form');
    expect(answer.action).toBe(soapSps.uri(`${a.id}/post`));
    expect(answer.fields.map((field) => field.name)).toEqual(['SAMLResponse']);
    expect(readSigned(Buffer.from(answer.fields[0]!.value, 'base64').toString(), ours)).toMatchObject({
      status: 'Success',
      destination: answer.action,
    });
  });

  it('SLO-50 no cookie is needed, and none is looked at', async () => {
    const a = await registerSp(byPost);
    const login = await signIn(a);
    const init = { headers: { cookie: 'a=b', origin: 'https://evil.example' } };
    tokenOf(await post({ SAMLRequest: base64(a.peer.sign(requestOf(a, login, 'post'))) }, endpoint(), init));
    expect(await living(login)).toBe(0);
  });

  it('SLO-44 SLO-96 lower-case percent-encoding, `+` and another order are verified as they were written', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const url = a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'));
    const [path, query] = url.split('?') as [string, string];
    // The signature is over the spelling; one in lower case needs a signature of its own.
    const [message, algorithm] = query.split('&') as [string, string];
    const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
    const signed = `${lower(message)}&RelayState=a+b&${lower(algorithm)}`;
    const signature = encodeURIComponent(createSign('RSA-SHA256').update(signed).sign(a.peer.privateKey, 'base64'));
    const token = tokenOf(await get(`${path}?Signature=${signature}&${lower(algorithm)}&RelayState=a+b&${lower(message)}`));
    expect(await redirectAnswerOf(token)).toMatchObject({ status: 'Success', relayState: 'a b' });
  });

  it('SLO-51 SLO-52 a RelayState of more than 80 bytes is taken, and given back as it came', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const relayState = 'é'.repeat(200);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'), relayState)));
    expect(await redirectAnswerOf(token)).toMatchObject({ status: 'Success', relayState });
  });

  it('SLO-51 one that is no text, or longer than any URL, is refused', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    for (const relayState of ['a\0b', 'a'.repeat(4_097)]) {
      await expectPage(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'), relayState)), 400);
    }
    expect(await living(login)).toBe(2);
  });

  it('SLO-53 SLOX-18 a RelayState that is a URL or HTML is neither followed nor shown', async () => {
    const a = await registerSp(byRedirect);
    for (const relayState of ['https://evil.example/', '"><script>alert(1)</script>']) {
      const login = await signIn(a);
      const response = await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'), relayState));
      expect(await response.text()).toBe('');
      tokenOf(response);
    }
  });

  it('ASLO-3 SLO-97 one that needs no answer gets none', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect', { asynchronous: true }), 'r')));
    expect(await living(login)).toBe(0);
    expect((await flows().read(token))!.reply).toBeNull();
    expect(await answerOf(token)).toBeNull();
  });

  it('SLO-22 nothing to end: the browser goes the same way, to the same answer', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect', { nameId: 'nobody' }))));
    expect((await redirectAnswerOf(token)).status).toBe('Success');
    expect(await living(login)).toBe(2);
  });

  it('SLO-18 SLO-30 what is open at the end makes it a partial one', async () => {
    const [a, b] = [await registerSp(byRedirect), await registerSp(byRedirect)];
    const login = await signIn(a, b);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'))));
    expect((await redirectAnswerOf(token)).status).toBe('Success/PartialLogout');
  });
});

describe('answers of SPs come back with the browser', () => {
  /** A flow that has sent the browser to `b` with a request. */
  async function legTo(b: Sp) {
    const a = await registerSp(byRedirect);
    const login = await signIn(a, b);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'))));
    const flow = await flows().read(token);
    const due = flow!.deliveries.find((delivery) => delivery.isDue)!;
    const leg = await flows().beginLeg(token, due.n);
    if (leg === null) throw new Error('no leg');
    const asked =
      leg.method === 'redirect' ? readRedirect(leg.url, ours) : readSigned(Buffer.from(leg.fields[0]!.value, 'base64').toString(), ours);
    return { login, token, asked };
  }
  const respond = (b: Sp, inResponseTo: string, status = 'Success') =>
    get(b.peer.redirect(endpoint(), b.peer.response({ inResponseTo, destination: endpoint(), status })));

  it('SLO-13 SLO-62 SLO-90 the answer of the SP decides, and the person sees that it is taken', async () => {
    const b = await registerSp(byRedirect);
    const { login, token, asked } = await legTo(b);
    expect(asked).toMatchObject({ root: 'LogoutRequest', nameId: login.nameId, destination: soapSps.uri(`${b.id}/redirect`) });
    const response = await respond(b, asked.id);
    expect(response.headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(response.headers.get('content-security-policy')).toMatch(/frame-ancestors 'self'$/);
    expectNeverStored(response);
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('Signed out here')]);
    expect((await settled(token))!.verdict).toBe('complete');
    expect((await redirectAnswerOf(token)).status).toBe('Success');
  });

  it('SLO-47 over POST as well', async () => {
    const b = await registerSp(byPost);
    const { token, asked } = await legTo(b);
    const xml = b.peer.sign(b.peer.response({ inResponseTo: asked.id, destination: endpoint() }));
    expect((await post({ SAMLResponse: base64(xml) })).status).toBe(200);
    expect((await settled(token))!.verdict).toBe('complete');
  });

  it('SLO-19 PartialLogout under any top-level code is not a success', async () => {
    for (const status of ['Success/PartialLogout', 'Responder/PartialLogout', 'Requester/PartialLogout']) {
      const b = await registerSp(byRedirect);
      const { login, token, asked } = await legTo(b);
      expect((await respond(b, asked.id, status)).status).toBe(200);
      expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'partial' });
      expect((await redirectAnswerOf(token)).status).toBe('Success/PartialLogout');
    }
  });

  it('SLO-13 SLOX-14 it is taken once, from the SP that was asked, to what it was asked', async () => {
    const b = await registerSp(byRedirect);
    const stranger = await registerSp(byRedirect);
    const { asked } = await legTo(b);
    const before = await state();
    await expectPage(await respond(stranger, asked.id), 400);
    await expectPage(await respond(b, newId()), 400);
    const other = b.peer.response({ inResponseTo: asked.id, destination: endpoint() }).replace(/ InResponseTo="[^"]*"/, '');
    await expectPage(await get(b.peer.redirect(endpoint(), other)), 400);
    expect(await state()).toEqual(before);
    expect((await respond(b, asked.id)).status).toBe(200);
    await expectPage(await respond(b, asked.id), 400);
  });
});

describe('messages that are refused change nothing', () => {
  type Bad = (a: Sp, login: Login) => { xml: string; by?: { privateKey: string; certificate: string } };
  const soon = (ms: number) => new Date(Date.now() + ms);

  /** Signed by somebody who is not believed, or not meant for us: nobody is answered, over no binding. */
  const STRANGERS: [string, string, (binding: Binding) => Bad][] = [
    ['SLOX-16', 'an unknown Issuer', (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: 'https://nobody.example' }) })],
    [
      'SLOX-16',
      'an Issuer in another case',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: a.peer.entityId.toUpperCase() }) }),
    ],
    ['SLOX-16', 'an Issuer with a blank', (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: `${a.peer.entityId} ` }) })],
    ['SLOX-16', 'an SP that says it is the IdP', (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: IDP_ENTITY }) })],
    ['SLO-82', 'a key that is not its own', (on) => (a, login) => ({ xml: requestOf(a, login, on), by: credentials[3]! })],
    [
      'SLO-9',
      'another host as Destination',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { destination: 'https://evil.example/' }) }),
    ],
    [
      'SLOX-15',
      'the Destination of another tenant',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { destination: endpoint('other') }) }),
    ],
    [
      'SLOX-15',
      'a Destination with another end',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { destination: `${endpoint()}/` }) }),
    ],
  ];
  /** Signed by a sender that is believed: it is told. */
  const BELIEVED: [string, string, string, (binding: Binding) => Bad][] = [
    [
      'SLO-88',
      'an old IssueInstant',
      'Requester',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { issueInstant: soon(-301_000) }) }),
    ],
    [
      'SLO-88',
      'an IssueInstant ahead',
      'Requester',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { issueInstant: soon(90_000) }) }),
    ],
    [
      'SLO-5',
      'a NotOnOrAfter that has passed',
      'Requester',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { notOnOrAfter: soon(-1_000) }) }),
    ],
    ['SLO-16', 'another version', 'VersionMismatch', (on) => (a, login) => ({ xml: requestOf(a, login, on, { version: '2.1' }) })],
  ];

  /** Everything that a signature by `by` would be made of, over that binding. */
  async function sendOver(binding: Binding, a: Sp, { xml, by = a.peer }: ReturnType<Bad>): Promise<Response> {
    const sender = makePeer(a.peer.entityId, by);
    if (binding === 'redirect') return get(sender.redirect(endpoint(), xml, 'state'));
    if (binding === 'post') return post({ SAMLRequest: base64(sender.sign(xml)), RelayState: 'state' });
    return sendSoap(envelope(sender.sign(xml)));
  }

  const ways: Binding[] = ['redirect', 'post', 'soap'];
  describe.each(ways)('over %s', (binding) => {
    let a: Sp;
    let login: Login;
    beforeAll(async () => {
      a = await registerSp({
        endpoints: (id) => [front('redirect', id), { binding: 'soap', location: soapSps.uri(id) }],
        bindings: ['soap'],
      });
      login = await signIn(a);
    });

    it.each(STRANGERS)('%s SLO-55 SLO-59 SLO-89 %s: nobody is answered', async (_, __, bad) => {
      await quiet();
      const before = await state();
      const sent = bad(binding)(a, login);
      const response = await sendOver(binding, a, sent);
      if (binding === 'soap') {
        expect(response.status).toBe(403);
        expect(await response.text()).toBe('');
      } else {
        await expectPage(response, 400, ['state', 'nobody', 'evil']);
      }
      expect(await state()).toEqual(before);
      expect(await living(login)).toBe(2);
    });

    it.each(BELIEVED)('%s SLO-21 SLO-55 SLO-59 %s: its sender is told %s', async (_, __, status, bad) => {
      await quiet();
      const before = await state();
      const response = await sendOver(binding, a, bad(binding)(a, login));
      if (binding === 'soap') {
        expect(response.status).toBe(200);
        expect(readSigned(await response.text(), ours).status).toBe(status);
      } else {
        expect(response.status).toBe(303);
        const answer = readRedirect(response.headers.get('location')!, ours);
        expect(answer).toMatchObject({ status, relayState: 'state', destination: soapSps.uri(`${a.id}/redirect`) });
      }
      expect(await state()).toEqual(before);
    });

    it('SLO-1 SLO-21 what breaks the schema, for nobody has been identified yet', async () => {
      const before = await state();
      const xml = requestOf(a, login, binding).replace(/<saml:NameID.*<\/saml:NameID>/, '');
      const response = await sendOver(binding, a, { xml });
      if (binding !== 'soap') await expectPage(response, 400);
      else expect([response.status, await response.text()]).toEqual([500, expect.stringContaining('soap:Client')]);
      expect(await state()).toEqual(before);
    });

    it('SLO-80 SLOX-10 what is not signed', async () => {
      await quiet();
      const before = await state();
      const xml = requestOf(a, login, binding);
      if (binding === 'soap') expect((await sendSoap(envelope(xml))).status).toBe(403);
      else if (binding === 'post') await expectPage(await post({ SAMLRequest: base64(xml) }), 400);
      else {
        const [url] = a.peer.redirect(endpoint(), xml).split('&SigAlg=') as [string];
        await expectPage(await get(url), 400);
        await expectPage(
          await get(`${url}&SigAlg=${encodeURIComponent('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256')}&Signature=`),
          400,
        );
      }
      expect(await state()).toEqual(before);
    });

    it('SLOX-16 an SP that is disabled is refused as one that is not there', async () => {
      const disabled = await registerSp({ enabled: false });
      const before = await state();
      const response = await sendOver(binding, disabled, { xml: requestOf(disabled, login, binding) });
      expect(response.status).toBe(binding === 'soap' ? 403 : 400);
      expect(await state()).toEqual(before);
    });

    it('SLO-89 a known SP reaches no session of another one', async () => {
      const stranger = await registerSp();
      const response = await sendOver(binding, stranger, {
        xml: requestOf(stranger, login, binding, { sessionIndexes: [login.indexAt(a)] }),
      });
      expect(response.status).toBe(binding === 'soap' ? 200 : 303);
      expect(await living(login)).toBe(2);
    });

    it('SLO-88 SLOX-14 a copy, and all but one of copies that come at once', async () => {
      const victim = await signIn(a);
      const sent = { xml: requestOf(a, victim, binding) };
      const codes = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const response = await sendOver(binding, a, sent);
          return binding === 'soap' ? readSigned(await response.text(), ours).status : response.status;
        }),
      );
      const [good, refused] = binding === 'soap' ? ['Success', 'Requester/RequestDenied'] : [303, 400];
      expect(codes.filter((code) => code === good)).toHaveLength(1);
      expect(codes.filter((code) => code === refused)).toHaveLength(5);
      await quiet();
      const before = await state();
      const again = await sendOver(binding, a, sent);
      if (binding === 'soap') expect(readSigned(await again.text(), ours).status).toBe(refused);
      else await expectPage(again, 400);
      expect(await state()).toEqual(before);
    });
  });

  it.each([
    ['SLO-57 a body that is empty', '', 500],
    ['SLO-57 no XML', 'nonsense', 500],
    ['SLO-57 no envelope', '<a/>', 500],
    ['SLO-57 SOAP 1.2', '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>', 500],
    ['SLO-57 an empty Body', envelope(''), 500],
    ['SLOX-11 a DOCTYPE', `<!DOCTYPE x [<!ENTITY e "e">]>${envelope('<a/>').replace(/<\?.*?\?>/, '')}`, 500],
    ['SLO-59 a fault, to which nobody answers with a fault', envelope('<S:Fault><faultcode>S:Client</faultcode></S:Fault>'), 403],
  ])('SLO-59 over SOAP %s', async (_, body, status) => {
    const before = await state();
    const response = await sendSoap(body);
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status });
    if (status === 500) expect(text).toMatch(/<faultcode>soap:\w+<\/faultcode>/);
    expectNeverStored(response);
    expect(await state()).toEqual(before);
  });

  it('SLO-59 an answer over SOAP by itself is refused without a fault', async () => {
    const a = await registerSp();
    const before = await state();
    const xml = a.peer.sign(a.peer.response({ inResponseTo: newId(), destination: null }));
    const response = await sendSoap(envelope(xml));
    expect([response.status, await response.text()]).toEqual([403, '']);
    expect(await state()).toEqual(before);
  });

  it.each([
    ['application/soap+xml', 415],
    ['application/json', 415],
    [FORM, 415],
    ['text/xml; charset=utf-16', 415],
    ['text/xml; charset=iso-8859-1', 415],
  ])('SLO-57 SLOX-17 over SOAP %s is answered %i', async (type, status) => {
    const a = await registerSp();
    const login = await signIn(a);
    const response = await sendSoap(type === 'application/json' ? '{}' : envelope(a.peer.sign(requestOf(a, login, 'soap'))), { type });
    expect(response.status).toBe(status);
    expect(await living(login)).toBe(2);
  });

  it('SLOX-17 bytes that are no UTF-8', async () => {
    const body = Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe, 0x3c, 0x2f, 0x61, 0x3e]);
    const response = await fetch(soapEndpoint(), { method: 'POST', headers: { 'content-type': 'text/xml' }, body });
    expect(response.status).toBe(400);
  });

  it('SLOX-17 more than 256 KiB is not read to its end', async () => {
    const large = 'a'.repeat(257 * 1024);
    expect((await sendSoap(large)).status).toBe(413);
    await expectPage(await post({ SAMLRequest: large }), 413);
  });

  it('over POST only a form is one', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const body = JSON.stringify({ SAMLRequest: base64(a.peer.sign(requestOf(a, login, 'post'))) });
    await expectPage(await fetch(endpoint(), { method: 'POST', headers: { 'content-type': 'application/json' }, body }), 415);
    await expectPage(await fetch(endpoint(), { method: 'POST' }), 400);
    await expectPage(await post({ RelayState: 'x' }), 400);
    await expectPage(await get(endpoint()), 400);
    expect(await living(login)).toBe(2);
  });

  it('other methods are answered 405, and a HEAD ends nothing', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const url = a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'));
    expect((await get(url, { method: 'HEAD' })).status).toBe(405);
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) expect((await get(endpoint(), { method })).status).toBe(405);
    expect((await get(soapEndpoint())).status).toBe(405);
    expect(await living(login)).toBe(2);
  });

  it.each(['nobody', 'oidc-only', 'NO%20SUCH', '..%2f..%2fetc'])('there is no single logout at %s', async (id) => {
    const before = await state();
    await expectPage(await get(`${endpoint(id)}?SAMLRequest=x`), 404);
    await expectPage(await post({ SAMLRequest: 'x' }, endpoint(id)), 404);
    expect((await sendSoap(envelope('<a/>'), { url: soapEndpoint(id) })).status).toBe(404);
    expect(await state()).toEqual(before);
  });

  it('SLOX-16 an SP of one identity provider is nobody at another', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'soap', { destination: soapEndpoint('other') }));
    expect((await sendSoap(envelope(xml), { url: soapEndpoint('other') })).status).toBe(403);
    expect(await living(login)).toBe(2);
  });

  it('SLO-75 an SP whose metadata has run out is nobody any more', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    await service.database.query(
      `UPDATE service_providers SET saml = jsonb_set(saml, '{validUntil}', '"2020-01-01T00:00:00Z"') WHERE id = $1`,
      [a.id],
    );
    expect((await sendSoap(envelope(a.peer.sign(requestOf(a, login, 'soap'))))).status).toBe(403);
    expect(await living(login)).toBe(2);
  });

  it('SLO-16 SLO-93 when the store fails its sender is told Responder, and nothing has changed', async () => {
    const a = await registerSp({
      endpoints: (id) => [front('redirect', id), { binding: 'soap', location: soapSps.uri(id) }],
      bindings: ['soap'],
    });
    const login = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap', { nameId: 'warms the keys' })));
    await service.database.query('ALTER TABLE seen_messages RENAME TO seen_messages_away');
    try {
      const answer = await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
      expect(answer.status).toBe('Responder');
      const response = await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect')));
      expect(readRedirect(response.headers.get('location')!, ours).status).toBe('Responder');
    } finally {
      await service.database.query('ALTER TABLE seen_messages_away RENAME TO seen_messages');
    }
    expect(await living(login)).toBe(2);
  });
});

describe('what operators see', () => {
  it('one line says which clause was broken, by whom; no NameID, no message', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'soap', { issueInstant: new Date(0) }));
    lines.length = 0;
    await sendSoap(envelope(xml));
    const line = lines.map((text) => JSON.parse(text) as Record<string, unknown>).find(({ msg }) => msg === 'SAML message refused');
    expect(line).toMatchObject({
      level: 'warn',
      idp: IDP,
      party: a.id,
      binding: 'soap',
      kind: 'request',
      code: 'expired',
      clause: 'SLO-88',
    });
    lines.length = 0;
    await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    const all = lines.join('');
    expect(all).toContain('SAML message received');
    for (const secret of [login.nameId, 'LogoutRequest xmlns', 'SignatureValue']) expect(all).not.toContain(secret);
  });

  it('messages are counted by what became of them', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    await sendSoap(envelope(requestOf(a, login, 'soap')));
    const { body } = await service.call<string>('GET', '/metrics', undefined, { token: null });
    expect(body).toMatch(/exeunt_saml_messages_total\{kind="request",binding="soap",result="accepted"\} [1-9]/);
    expect(body).toMatch(/exeunt_saml_messages_total\{kind="request",binding="soap",result="unsigned"\} [1-9]/);
  });

  it('the routes are described', async () => {
    const { body } = await service.call<{ paths: Record<string, object> }>('GET', '/openapi.json', undefined, { token: null });
    expect(Object.keys(body.paths['/saml/slo/{idp}'] ?? {}).sort()).toEqual(['get', 'post']);
    expect(Object.keys(body.paths['/saml/slo/{idp}/soap'] ?? {})).toEqual(['post']);
  });
});
