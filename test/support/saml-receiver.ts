import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import * as xmlEncryption from 'xml-encryption';
import { BrowserLogout } from '#coordinator';
import type { FlowState } from '#coordinator';
import { SamlKeys } from '#registry';
import { AnswerInitiator } from '../../src/intake/saml/index.js';
import { envelope, makeCredential, makePeer, readRedirect, readSigned } from './saml-peer.js';
import type { Binding, Endpoint, ReadMessage, RequestParts, SamlPeer } from './saml-peer.js';
import { startSamlSpSink } from './saml-sp-sink.js';
import type { SamlBehaviour, SamlSpSink } from './saml-sp-sink.js';
import { eventually, startService } from './service.js';
import type { Answer, Service } from './service.js';
import { startSpSink } from './sp-sink.js';
import type { SpSink } from './sp-sink.js';
import { stateDigest } from './state-digest.js';

export const FORM = 'application/x-www-form-urlencoded';
export const IDP = 'idp';
export const IDP_ENTITY = 'https://idp.example/saml';
/** Of the SOAP initiator. Milliseconds. */
export const ANSWER_WITHIN = 1_500;

export let service: Service;
export let soapSps: SamlSpSink;
export let oidcSps: SpSink;
export let ours: string;
export let idp: SamlPeer;
export let lines: string[];
let next = 0;
/** Keys take long to make, and nobody here looks at whose they are but by the entity. */
export const credentials = [makeCredential('one'), makeCredential('two'), makeCredential('three'), makeCredential('four')];

/** The service, its identity providers and its SPs, for one file of tests. */
export function withReceiver(): void {
  beforeAll(start);
  afterAll(stop);
}

async function start(): Promise<void> {
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
}

async function stop(): Promise<void> {
  await service?.stop();
  await soapSps.close();
  await oidcSps.close();
}

export async function made(answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer;
  expect({ status, body }).toMatchObject({ status: 201 });
}

export const unique = (name: string): string => `${name}-${++next}`;
export const front = (binding: 'redirect' | 'post', sp: string): Endpoint => ({ binding, location: soapSps.uri(`${sp}/${binding}`) });

export interface Sp {
  id: string;
  peer: SamlPeer;
}

export interface SpParts {
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

export async function registerSp(parts: SpParts = {}): Promise<Sp> {
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

export async function registerRp(behaviour?: number): Promise<string> {
  const id = unique('rp');
  const channels = [{ type: 'oidc-backchannel', clientId: id, uri: oidcSps.uri(id), signingAlg: 'ES256' }];
  await made(service.call('POST', '/v1/service-providers', { id, name: id, idp: IDP, layer: 'sp', channels }));
  if (behaviour !== undefined) oidcSps.behave(id, behaviour);
  return id;
}

/** One person's session at the IdP, and its sessions at SPs. */
export interface Login {
  sid: string;
  nameId: string;
  /** SessionIndex of the session at that SP. */
  indexAt(sp: string | Sp): string;
}

export async function signIn(...sps: (Sp | string)[]): Promise<Login> {
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
export function encryptTo(
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
export async function living({ sid }: Login): Promise<number> {
  const [row] = await service.database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM sessions WHERE state = 'live' AND (sid LIKE $1 OR session_index LIKE $2)`,
    [`%${sid}`, `_${sid}%`],
  );
  return row!.n;
}

export const endpoint = (idpId = IDP): string => `${service.url}/saml/slo/${idpId}`;
export const soapEndpoint = (idpId = IDP): string => `${endpoint(idpId)}/soap`;

/** A request of this SP for a session of this login. */
export function requestOf(sp: Sp, login: Login, binding: Binding, more: RequestParts = {}): string {
  return sp.peer.request({
    destination: binding === 'soap' ? soapEndpoint() : endpoint(),
    nameId: login.nameId,
    sessionIndexes: [login.indexAt(sp)],
    ...more,
  });
}

export const get = (url: string, init: RequestInit = {}) => fetch(url, { redirect: 'manual', ...init });
export const post = (fields: Record<string, string>, url = endpoint(), init: RequestInit = {}) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), ...init });
export const base64 = (xml: string): string => Buffer.from(xml).toString('base64');

export const sendSoap = (body: string, { url = soapEndpoint(), type = 'text/xml', headers = {} } = {}) =>
  fetch(url, { method: 'POST', headers: { 'content-type': type, ...headers }, body });

/** The signed answer over SOAP. */
export async function answerTo(xml: string, url = soapEndpoint()): Promise<ReadMessage> {
  const response = await sendSoap(envelope(xml), { url });
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 200 });
  return readSigned(text, ours);
}

export const state = () => stateDigest(service.database);

/** Waits until nothing is on its way any more, so that whatever changes was changed by what is sent next. */
export async function quiet(): Promise<void> {
  const open = `outcome IN ('pending', 'retrying')`;
  await service.database.query(`UPDATE deliveries SET deadline_at = now(), next_attempt_at = now() WHERE ${open}`);
  await service.database.query('UPDATE logouts SET sweep_at = now() WHERE completed_at IS NULL');
  await eventually(
    () => service.database.query(`SELECT 1 FROM deliveries WHERE ${open}`),
    (rows) => rows.length === 0,
  );
}

/** A page for a person, that says nothing of what was sent. */
export async function expectPage(response: Response, status: number, sent: string[] = []): Promise<void> {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status });
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  expectNeverStored(response);
  for (const one of sent) expect(text).not.toContain(one);
}

/** @see SLO-54, SLO-60 */
export function expectNeverStored({ headers }: Response): void {
  expect(headers.get('cache-control')).toMatch(/no-cache, no-store/);
  expect(headers.get('pragma')).toBe('no-cache');
  expect([headers.get('etag'), headers.get('last-modified')]).toEqual([null, null]);
}

/** The secret of the flow that the browser is sent to. */
export function tokenOf(response: Response): string {
  expect(response.status).toBe(303);
  expectNeverStored(response);
  const location = response.headers.get('location')!;
  expect(location.startsWith(`${service.url}/logout/`)).toBe(true);
  return location.slice(`${service.url}/logout/`.length);
}

export const flows = (): BrowserLogout => service.app.get(BrowserLogout, { strict: false });
export const settled = (token: string): Promise<FlowState | null> =>
  eventually(
    () => flows().read(token),
    (flow) => flow?.isSettled === true,
  );

/** What the initiator is sent at the end of the flow. */
export async function answerOf(token: string) {
  const flow = await flows().finish(token);
  return service.app.get(AnswerInitiator, { strict: false }).answer(flow!);
}

export async function redirectAnswerOf(token: string): Promise<ReadMessage & { url: string }> {
  const answer = await answerOf(token);
  if (answer?.method !== 'redirect') throw new Error(`no redirect: ${JSON.stringify(answer)}`);
  return { ...readRedirect(answer.url, ours), url: answer.url };
}

export interface Ledger {
  verdict: string;
  cause: string;
  deliveries: { sp: string; outcome: string; attempts: unknown[] }[];
}
export async function logoutOf(login: Login): Promise<{ id: string }> {
  const [row] = await service.database.query<{ id: string }>(`SELECT ended_by AS id FROM sessions WHERE sid = $1 AND layer = 'idp'`, [
    login.sid,
  ]);
  return row!;
}
export const ledgerOf = async (login: Login): Promise<Ledger> =>
  (await service.call<Ledger>('GET', `/v1/logouts/${(await logoutOf(login)).id}`)).body;
export const outcomesOf = async (login: Login) =>
  Object.fromEntries(
    (await ledgerOf(login)).deliveries.map(({ sp, outcome }) => [typeof sp === 'string' ? sp : (sp as { id: string }).id, outcome]),
  );

export const byRedirect = { endpoints: (id: string): Endpoint[] => [front('redirect', id)] };
export const byPost = { endpoints: (id: string): Endpoint[] => [front('post', id)] };
