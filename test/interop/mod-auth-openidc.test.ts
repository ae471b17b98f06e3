import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { JWK } from 'jose';
import { freePorts } from '../e2e/demo/ports.mjs';
import { eventually, startService } from '../support/service.js';
import type { Service } from '../support/service.js';
import { startApache } from './apache.js';
import type { Apache } from './apache.js';
import type { Site } from './apache-config.js';
import { describeWith } from './describe-with.js';
import { issuerAt, opKey, publicHalf, secret, startOp } from './op.js';
import type { Op, OpSettings } from './op.js';
import { Person } from './person.js';
import { modAuthOpenidc } from './products.js';
import { startRelay } from './relay.js';
import type { Passed, Relay } from './relay.js';

/** Who is registered where, and how. `idToken` is the algorithm of the client at the OP and in Apache, `logoutToken` the one at Exeunt. */
const CAST = {
  rs256: { op: 'merged', idToken: 'RS256', logoutToken: 'RS256' },
  es256: { op: 'merged', idToken: 'ES256', logoutToken: 'ES256' },
  /** No relay between Exeunt and Apache: what fails, fails as it does in life. */
  direct: { op: 'merged', idToken: 'RS256', logoutToken: 'RS256', relayed: false },
  'by-user': { op: 'merged', idToken: 'RS256', logoutToken: 'RS256', tell: 'user' },
  'client-cookie': { op: 'merged', idToken: 'RS256', logoutToken: 'RS256', sessionType: 'client-cookie' },
  imported: { op: 'own', idToken: 'RS256', logoutToken: 'RS256' },
  unpublished: { op: 'own', idToken: 'ES256', logoutToken: 'ES256' },
  'other-alg': { op: 'merged', idToken: 'RS256', logoutToken: 'ES256' },
  'other-client-id': { op: 'merged', idToken: 'RS256', logoutToken: 'RS256', clientId: 'somebody' },
} satisfies Record<string, Role>;

interface Role {
  /** `merged` shows the set of Exeunt at its jwks_uri, `own` nothing but its own keys, of which Exeunt has one. */
  op: 'merged' | 'own';
  idToken: string;
  logoutToken: string;
  tell?: string;
  clientId?: string;
  relayed?: boolean;
  sessionType?: 'client-cookie';
}
type Name = keyof typeof CAST;
const NAMES = Object.keys(CAST) as Name[];
const roleOf = (name: Name): Role => CAST[name];

const LOGOUT = '/app/redirect_uri?logout=backchannel';

interface Logout {
  id: string;
  verdict: string;
  deliveries: {
    sp: string;
    outcome: string;
    attempts: { n: number; result: string; httpStatus?: number; jti?: string; error?: string }[];
  }[];
}

let service: Service;
let relay: Relay;
let apache: Apache;
const ops: Partial<Record<'merged' | 'own', Op>> = {};
/** To start it again, with more keys. */
let ownOp: OpSettings;
const sites = {} as Record<Name, Site>;
let opKeys: JWK[];

describeWith(modAuthOpenidc, 'mod_auth_openidc', () => {
  beforeAll(async () => {
    const [mergedPort = 0, ownPort = 0, ...ports] = await freePorts(2 + NAMES.length);
    const issuers = { merged: issuerAt(mergedPort), own: issuerAt(ownPort) };
    opKeys = [await opKey('op-rsa', 'RS256'), await opKey('op-ec', 'ES256')];
    [service, relay] = await Promise.all([startService(), startRelay()]);
    const apiKeys: Record<string, string> = {};
    for (const idp of ['merged', 'own'] as const) {
      const oidc = { issuer: issuers[idp], jwks: { keys: opKeys.map(publicHalf) } };
      apiKeys[idp] = (await registered<{ apiKey: string }>('/v1/identity-providers', { id: idp, name: idp, oidc })).apiKey;
    }
    await registered('/v1/identity-providers/own/keys', { jwk: opKeys[0] });
    for (const [i, name] of NAMES.entries()) {
      const { op, idToken, logoutToken, tell = 'session', clientId = name, relayed = true, sessionType } = roleOf(name);
      sites[name] = {
        name,
        port: ports[i]!,
        issuer: issuers[op],
        clientId: name,
        clientSecret: secret(),
        signingAlg: idToken,
        ...(sessionType && { sessionType }),
      };
      const uri = relayed ? relay.via(originOf(name), LOGOUT) : originOf(name) + LOGOUT;
      const channel = { type: 'oidc-backchannel', clientId, uri, sessionRequired: tell === 'session', signingAlg: logoutToken, tell };
      await registered('/v1/service-providers', { id: name, name, idp: op, layer: 'sp', channels: [channel] });
    }
    const clientsOf = (op: string) =>
      NAMES.filter((name) => CAST[name].op === op).map((name) => ({
        client_id: name,
        client_secret: sites[name].clientSecret,
        redirect_uris: [`${originOf(name)}/app/redirect_uri`],
        id_token_signed_response_alg: CAST[name].idToken,
        backchannel_logout_uri: originOf(name) + LOGOUT,
        backchannel_logout_session_required: true,
      }));
    const exeuntOf = (idp: string) => ({ idp, baseUrl: service.url, apiKey: apiKeys[idp]! });
    const mergedJwksUrl = `${service.url}/idps/merged/jwks.json`;
    ownOp = { port: ownPort, keys: opKeys, clients: clientsOf('own'), exeunt: exeuntOf('own') };
    [ops.merged, ops.own, apache] = await Promise.all([
      startOp({ port: mergedPort, keys: opKeys, clients: clientsOf('merged'), exeunt: { ...exeuntOf('merged'), mergedJwksUrl } }),
      startOp(ownOp),
      startApache(Object.values(sites)),
    ]);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([apache?.remove(), ops.merged?.stop(), ops.own?.stop()]);
    await relay?.close();
    await service?.stop();
  });

  it.each(['rs256', 'es256'] as const)(
    'BCL-23 %s: takes a token that our own key in the merged set signs, and asks for login again; the ledger says confirmed',
    async (name) => {
      const [ada, bob] = [new Person('ada'), new Person('bob')];
      const page = await ada.logIn(appOf(name));
      expect(page).toMatchObject({ status: 200, body: 'You are in.\n' });
      expect(await bob.logIn(appOf(name))).toMatchObject({ status: 200 });
      const logout = await end(name, 'ada');
      expect(logout).toMatchObject({
        verdict: 'complete',
        deliveries: [{ sp: name, outcome: 'confirmed', attempts: [{ httpStatus: 200 }] }],
      });
      const { header, claims } = tokenOf(logout);
      expect(header).toMatchObject({ alg: CAST[name].logoutToken, typ: 'logout+jwt' });
      expect(opKeys.map(({ kid }) => kid)).not.toContain(header.kid);
      expect(claims).toMatchObject({ iss: sites[name].issuer, aud: name, sub: 'ada', sid: joined(name, 'ada').handles.sid });
      await asksForLogin(ada, name);
      expect(await bob.visit(appOf(name))).toMatchObject({ status: 200 });
    },
  );

  it('BCL-23 imported: takes a token signed with a key of the OP, whose own jwks_uri shows nothing of ours', async () => {
    const published = (await (await fetch(`${sites.imported.issuer}/jwks`)).json()) as { keys: JWK[] };
    expect(published.keys.map(({ kid }) => kid)).toEqual(['op-rsa', 'op-ec']);
    const ada = new Person('ada');
    await ada.logIn(appOf('imported'));
    const logout = await end('imported', 'ada');
    expect(logout).toMatchObject({ verdict: 'complete', deliveries: [{ outcome: 'confirmed' }] });
    expect(tokenOf(logout).header).toMatchObject({ alg: 'RS256', kid: 'op-rsa' });
    await asksForLogin(ada, 'imported');
  });

  it.each([
    ['BCL-34 by a key that its OP does not publish', 'unpublished', 'could not find key with kid'],
    [
      'BCL-23 with another algorithm than that of its ID Tokens',
      'other-alg',
      'logout token is signed using wrong algorithm: ES256 != RS256',
    ],
    [
      'BCL-11 for another client',
      'other-client-id',
      'the configured client_id (other-client-id) did not match the "aud" claim value (somebody)',
    ],
  ] as const)(
    'refuses a token for good: %s. The ledger says refused, its own log says why, and the session lives',
    async (_, name, why) => {
      const ada = new Person('ada');
      await ada.logIn(appOf(name));
      const logout = await end(name, 'ada');
      expect(logout).toMatchObject({ verdict: 'failed', deliveries: [{ outcome: 'refused', attempts: [{ httpStatus: 400 }] }] });
      expect(logout.deliveries[0]!.attempts).toHaveLength(1);
      expect(apache.log()).toContain(why);
      expect(await ada.visit(appOf(name))).toMatchObject({ status: 200 });
    },
  );

  it('BCL-34 asks its OP once more for a key that it does not know: one published after the login does', async () => {
    const ivy = new Person('ivy');
    await ivy.logIn(appOf('unpublished'));
    const late = await opKey('late', 'ES256');
    const { said } = ops.own!;
    await ops.own!.stop();
    ops.own = await startOp({ ...ownOp, keys: [...opKeys, late] });
    ops.own.said.push(...said);
    await registered('/v1/identity-providers/own/keys', { jwk: late });
    const logout = await end('unpublished', 'ivy');
    expect(tokenOf(logout).header).toMatchObject({ kid: 'late' });
    expect(logout).toMatchObject({ verdict: 'complete', deliveries: [{ outcome: 'confirmed' }] });
    await asksForLogin(ivy, 'unpublished');
  });

  it('BCL-17 answers 200 to a token with sub only and keeps the session; told of the session, as we do by default, it ends it', async () => {
    const eve = new Person('eve');
    await eve.logIn(appOf('by-user'));
    await eve.logIn(appOf('direct'));
    const logout = await end('direct', 'eve');
    expect(logout.deliveries.map(({ sp, outcome }) => [sp, outcome]).sort()).toEqual([
      ['by-user', 'confirmed'],
      ['direct', 'confirmed'],
    ]);
    expect(tokenOf(logout).claims).toMatchObject({ sub: 'eve' });
    expect(tokenOf(logout).claims).not.toHaveProperty('sid');
    expect(await eve.visit(appOf('by-user'))).toMatchObject({ status: 200 });
    await asksForLogin(eve, 'direct');
  });

  it('BCL-43 with sessions in the browser alone (client-cookie) it answers 200 too, ends nothing, and only its log says so', async () => {
    const hal = new Person('hal');
    await hal.logIn(appOf('client-cookie'));
    const logout = await end('client-cookie', 'hal');
    expect(logout).toMatchObject({ deliveries: [{ outcome: 'confirmed', attempts: [{ httpStatus: 200 }] }] });
    const { sid } = joined('client-cookie', 'hal').handles;
    expect(apache.log()).toContain(`could not (or no longer) find a session based on sid/sub provided in logout token / parameter: ${sid}`);
    expect(await hal.visit(appOf('client-cookie'))).toMatchObject({ status: 200 });
  });

  it('BCL-28 hears of it when it is up again after it was down, by a token with a jti of its own', async () => {
    const dan = new Person('dan');
    await dan.logIn(appOf('direct'));
    await apache.stop();
    const id = await begin('direct', 'dan');
    await eventually(
      () => read(id),
      (logout) => logout.deliveries[0]!.attempts.filter((attempt) => attempt.error !== undefined).length >= 2,
    );
    await apache.start();
    const logout = await final(id);
    retriedWithNewTokens(logout);
    await asksForLogin(dan, 'direct');
  });

  it('BCL-27 is told again after a 503', async () => {
    const fay = new Person('fay');
    await fay.logIn(appOf('direct'));
    apache.maintenance(true);
    const id = await begin('direct', 'fay');
    await eventually(
      () => read(id),
      (logout) => logout.deliveries[0]!.attempts.filter((attempt) => attempt.httpStatus === 503).length >= 2,
    );
    apache.maintenance(false);
    const logout = await final(id);
    retriedWithNewTokens(logout);
    await asksForLogin(fay, 'direct');
  });

  it('BCL-28 answers 200 to the second token after the answer to the first was lost; the first one again is a 400', async () => {
    const gus = new Person('gus');
    await gus.logIn(appOf('rs256'));
    relay.loseNextAnswer();
    const logout = await end('rs256', 'gus');
    retriedWithNewTokens(logout);
    const [first, second] = relay.passed.slice(-2) as [Passed, Passed];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.claims.sid).toBe(second.claims.sid);
    const body = new URLSearchParams({ logout_token: first.token });
    expect((await fetch(originOf('rs256') + LOGOUT, { method: 'POST', body })).status).toBe(400);
    expect(apache.log()).toContain(`the "jti" value (${first.claims.jti}) passed in logout token was found in the cache already`);
    await asksForLogin(gus, 'rs256');
  });
});

const originOf = (name: Name) => `http://127.0.0.1:${sites[name].port}`;
const appOf = (name: Name) => `${originOf(name)}/app/index.html`;

async function registered<Body>(path: string, body: unknown): Promise<Body> {
  const answer = await service.call('POST', path, body);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body as Body;
}

/** What the OP reported of the newest login of that user at that application, and that Exeunt has it. */
function joined(name: Name, user: string) {
  const said = ops[CAST[name].op]!.said.filter(
    ({ event }) => event?.type === 'session.joined' && event.sp === name && event.handles.sub === user,
  ).at(-1);
  expect(said?.result?.status).toBe('accepted');
  return said!.event!;
}

/** The operator ends the user's session: the OP says nothing of it. */
async function begin(name: Name, user: string): Promise<string> {
  joined(name, user);
  const { op } = CAST[name];
  const { event } = ops[op]!.said.filter((one) => one.event?.type === 'session.started' && one.event.handles.sub === user).at(-1)!;
  const { status, body } = await service.call<{ id: string }>('POST', '/v1/logouts', {
    target: { idp: op, sid: event!.handles.sid },
    cause: 'admin',
    reason: 'interoperability',
  });
  expect(status).toBe(202);
  return body.id;
}

const read = async (id: string) => (await service.call<Logout>('GET', `/v1/logouts/${id}`)).body;
const final = (id: string) =>
  eventually(
    () => read(id),
    ({ verdict }) => verdict !== 'pending',
  );
const end = async (name: Name, user: string) => final(await begin(name, user));

function tokenOf(logout: Logout): Passed {
  const ids = logout.deliveries.flatMap(({ attempts }) => attempts.map(({ jti }) => jti));
  return relay.passed.find(({ claims }) => ids.includes(claims.jti))!;
}

function retriedWithNewTokens(logout: Logout): void {
  expect(logout).toMatchObject({ verdict: 'complete', deliveries: [{ outcome: 'confirmed' }] });
  const { attempts } = logout.deliveries[0]!;
  expect(attempts.length).toBeGreaterThan(1);
  expect(attempts.at(-1)).toMatchObject({ result: 'confirmed', httpStatus: 200 });
  expect(new Set(attempts.map(({ jti }) => jti)).size).toBe(attempts.length);
}

async function asksForLogin(person: Person, name: Name): Promise<void> {
  const page = await person.visit(appOf(name));
  expect(page).toMatchObject({ status: 302 });
  expect(page.location?.href).toMatch(`${sites[name].issuer}/auth?`);
}
