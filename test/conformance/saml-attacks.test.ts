import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import { BrowserLogout } from '#coordinator';
import { SamlKeys } from '#registry';
import { makePeer, readRedirect, readSigned } from '../support/saml-peer.js';
import type { SamlPeer } from '../support/saml-peer.js';
import { startService } from '../support/service.js';
import type { Service } from '../support/service.js';
import { stateDigest } from '../support/state-digest.js';
import { onTheWire } from './saml/attacks/load-corpus.js';
import type { AttackOnTheWire } from './saml/attacks/load-corpus.js';
import { makeAttacks, makeOriginals } from './saml/attacks/make-corpus.js';
import { keyPair } from './saml/attacks/world.js';
import type { World } from './saml/attacks/world.js';

const IDP = 'main';
/** That of the attacks, which change its parts. */
const PUBLIC_URL = 'https://logout.example.com';
/** Nobody answers there: browsers are sent to it, and nothing is sent by the server. */
const SP_SLO = 'https://127.0.0.1:1/slo';

let service: Service;
let lines: string[];
let world: World;
let soapWorld: World;
let peer: SamlPeer;
let ours: string;
const peerKeys = { privateKey: '', certificate: keyPair('peer').certificate };

const path = (idp = IDP): string => `/saml/slo/${idp}`;

/** The attacks of the corpus, made anew for this service as it runs now: its URLs, its certificate, its clock, a message that it waits for. */
beforeAll(async () => {
  lines = [];
  // Nothing is done about the leg that is out while the attacks go on.
  service = await startService({
    publicUrl: PUBLIC_URL,
    browser: { legTimeoutMs: 600_000 },
    dispatch: { sweepGraceSeconds: 3_600 },
    log: (line) => void lines.push(line),
  });
  const idp = makePeer('https://idp.example/saml');
  for (const id of [IDP, 'second']) {
    await made('/v1/identity-providers', { id, name: id, saml: { metadataXml: idp.metadata({ role: 'idp' }) } });
  }
  const { certificates, signerFor } = bound(service.app.get(SamlKeys, { strict: false }));
  ours = (await signerFor(IDP)).signer.certificate;
  const [encryption] = (await certificates(IDP)).encryption;
  const issuer = 'https://sp.example.org/saml';
  const otherIssuer = 'https://other.example.org/saml';
  peer = makePeer(issuer, { ...peerKeys, privateKey: keyPair('peer').key.export({ type: 'pkcs8', format: 'pem' }) as string });
  await registerSp('peer', peer);
  await registerSp('other', makePeer(otherIssuer, { privateKey: '', certificate: keyPair('stranger').certificate }));
  const base = {
    now: new Date(Math.floor(Date.now() / 1_000) * 1_000),
    issuer,
    peer: keyPair('peer'),
    otherIssuer,
    stranger: keyPair('stranger'),
    weak: keyPair('weak'),
    ours: { key: createPublicKey(encryption!), certificate: encryption! },
    nameId: {
      value: 'Zoë-7f3a',
      format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      spNameQualifier: issuer,
    },
    sessionIndex: '_session-1',
    victim: 'admin@victim.example',
  };
  await signIn('mine', { nameId: base.nameId, sessionIndex: base.sessionIndex });
  await signIn('victim', { nameId: { ...base.nameId, value: base.victim }, sessionIndex: '_victim' });
  const inResponseTo = await messageThatIsOut();
  const [destination, otherDestination] = [PUBLIC_URL + path(), PUBLIC_URL + path('second')];
  world = { ...base, inResponseTo, destination, otherDestination };
  soapWorld = { ...base, inResponseTo, destination: `${destination}/soap`, otherDestination: `${otherDestination}/soap` };
});
afterAll(() => service?.stop());

const bound = (keys: SamlKeys) => ({ certificates: keys.certificates.bind(keys), signerFor: keys.signerFor.bind(keys) });

async function made(path: string, body: object): Promise<void> {
  const answer = await service.call('POST', path, body);
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
}

async function registerSp(id: string, of: SamlPeer): Promise<void> {
  const metadataXml = of.metadata({ endpoints: [{ binding: 'redirect', location: SP_SLO }] });
  await made('/v1/service-providers', { id, name: id, idp: IDP, layer: 'sp', channels: [{ type: 'saml', metadataXml }] });
}

async function signIn(sid: string, handles: object): Promise<void> {
  const events = [
    { id: `${sid}-1`, type: 'session.started', idp: IDP, handles: { sid } },
    { id: `${sid}-2`, type: 'session.joined', idp: IDP, parent: { sid }, sp: 'peer', handles },
  ];
  const { body } = await service.call<{ results: { status: string }[] }>('POST', '/v1/events', { events });
  expect(body.results.map((result) => result.status)).toEqual(['accepted', 'accepted']);
}

/** The ID of a LogoutRequest that is with the SP, by a browser. */
async function messageThatIsOut(): Promise<string> {
  await signIn('asked', { nameId: { value: 'asked' }, sessionIndex: '_asked' });
  const { body } = await service.call<{ id: string }>('POST', '/v1/logouts', { target: { idp: IDP, sid: 'asked' }, cause: 'user' });
  const flows = service.app.get(BrowserLogout, { strict: false });
  const { token } = await flows.open(IDP, body.id);
  const leg = await flows.beginLeg(token, 1);
  if (leg?.method !== 'redirect') throw new Error('no leg');
  return readRedirect(leg.url, ours).id;
}

const state = () => stateDigest(service.database);

function send({ binding, http }: AttackOnTheWire): Promise<Response> {
  if (http.method === 'GET') return fetch(`${service.url}${path()}?${http.query}`, { redirect: 'manual' });
  const url = service.url + path() + (binding === 'soap' ? '/soap' : '');
  return fetch(url, { method: 'POST', redirect: 'manual', headers: { 'content-type': http.contentType }, body: http.body });
}

/** What was said to whoever sent it: nothing, an error to a sender that is believed, or that it was taken. */
async function heard(attack: AttackOnTheWire): Promise<string> {
  const response = await send(attack);
  const text = await response.text();
  if (response.status === 303) {
    const location = response.headers.get('location')!;
    if (location.startsWith(`${PUBLIC_URL}/logout/`)) return 'taken';
    expect(location.startsWith(`${SP_SLO}?`)).toBe(true);
    return `told ${readRedirect(location, ours).status}`;
  }
  if (response.status === 200) {
    if (attack.binding !== 'soap') return 'taken';
    const { status } = readSigned(text, ours);
    return status === 'Success' || status === 'Success/PartialLogout' ? 'taken' : `told ${status}`;
  }
  expect(response.headers.get('location')).toBeNull();
  return `${response.status}`;
}

/** Refused before it is a message: too long for a URL, or for a body. */
const NO_MESSAGE = new Set(['413', '431']);

describe('SLOX-1 to SLOX-20 every attack of the corpus at the real endpoints', () => {
  it('is refused for the reason that it is there for, told to nobody who is not believed, and changes nothing', async () => {
    const attacks = [
      ...makeAttacks(world).filter(({ binding }) => binding !== 'soap'),
      ...makeAttacks(soapWorld).filter(({ binding }) => binding === 'soap'),
    ].map(onTheWire);
    expect(attacks.length).toBeGreaterThan(300);
    const before = await state();
    const odd: object[] = [];
    for (const attack of attacks) {
      lines.length = 0;
      const said = await heard(attack);
      const line = lines
        .map((one) => JSON.parse(one) as { msg?: string; code?: string })
        .find(({ msg }) => msg?.startsWith('SAML message'));
      const wanted = attack.refusal!.startsWith('fault ') ? 'malformed' : attack.refusal;
      // Where a message of one entity is said to be of another, that one is known here, and it is its signature that is not good.
      const isRefused = NO_MESSAGE.has(said) || line?.code === wanted || (wanted === 'unknown_issuer' && line?.code === 'bad_signature');
      const isSilent = /^4\d\d$/.test(said) || (attack.binding === 'soap' && said === '500');
      const isTold = said.startsWith('told Requester') || said === 'told VersionMismatch';
      const after = await state();
      const changed = Object.keys(after).filter((table) => after[table] !== before[table]);
      if (!isRefused || changed.length > 0 || !(isSilent || (isTold && BELIEVED.has(attack.refusal!)))) {
        odd.push({ attack: attack.name, wanted: attack.refusal, seen: line?.code ?? line?.msg, said, changed });
      }
      if (changed.length > 0) break;
    }
    expect(odd).toEqual([]);
  }, 180_000);

  it('and what they were made from is taken: nothing else was wrong with them', async () => {
    const original = (name: string) =>
      makeOriginals(world)
        .map(onTheWire)
        .find((one) => one.name === name)!;
    expect(await heard(original('redirect-request-original'))).toBe('taken');
    expect(await heard(original('redirect-response-original'))).toBe('taken');
    // The same ID a second time, over the other binding.
    expect(await heard(original('post-request-original'))).toBe('400');
    expect(await heard(original('post-response-original'))).toBe('400');
    const rows = await service.database.query<{ sid: string; state: string }>(
      `SELECT sid, state FROM sessions WHERE layer = 'idp' AND idp_id = $1 ORDER BY sid`,
      [IDP],
    );
    expect(rows).toEqual([
      { sid: 'asked', state: 'ended' },
      { sid: 'mine', state: 'ended' },
      { sid: 'victim', state: 'live' },
    ]);
  });
});

/** With these its signature was good. */
const BELIEVED = new Set<string>(['wrong_version', 'expired', 'not_yet_valid', 'undecryptable']);
