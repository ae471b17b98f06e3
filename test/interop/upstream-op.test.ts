import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { freePorts } from '../e2e/demo/ports.mjs';
import { eventually, startService } from '../support/service.js';
import type { Service } from '../support/service.js';
import { startSpSink } from '../support/sp-sink.js';
import type { SpSink } from '../support/sp-sink.js';
import { issuerAt, opKey, secret, startOp } from './op.js';
import type { Op, OpClient } from './op.js';
import { Person } from './person.js';
import { startRelay } from './relay.js';
import type { Relay } from './relay.js';

const SPS = ['wiki', 'crm', 'mail'];
/** The hub, by three ways in which it may have registered at the OP. Exeunt knows the OP by each of them under an id of its own. */
const CLIENTS = ['hub', 'by-user', 'encrypted'] as const;
type Client = (typeof CLIENTS)[number];
const ENCRYPTION = { alg: 'RSA-OAEP-256', enc: 'A256GCM' };

let service: Service;
let sink: SpSink;
let relay: Relay;
let op: Op;
const clients = {} as Record<Client, OpClient>;
let callback: string;

/**
 * A hub signs its users in at an OP and lets them on to its own applications. Exeunt takes the OP's logout tokens for the hub, and
 * tells the applications. The OP is oidc-provider as it comes: it sends, once, and does not know Exeunt.
 */
describe('oidc-provider as the sender', () => {
  beforeAll(async () => {
    const [port = 0, callbackPort = 0] = await freePorts(2);
    const issuer = issuerAt(port);
    // Nobody listens there: the browser stops at the redirect, and the hub takes the code out of it.
    callback = `http://127.0.0.1:${callbackPort}/callback`;
    const keys = [await opKey('op-rsa', 'RS256'), await opKey('op-ec', 'ES256')];
    [service, sink, relay] = await Promise.all([startService(), startSpSink(), startRelay()]);
    for (const id of CLIENTS) {
      const encryption = id === 'encrypted' ? ENCRYPTION : undefined;
      await post('/v1/identity-providers', 201, {
        id,
        name: id,
        oidc: { issuer, jwksUri: `${issuer}/jwks`, audience: id, ...(encryption && { encryption }) },
      });
      for (const sp of SPS) {
        const channel = { type: 'oidc-backchannel', clientId: sp, uri: sink.uri(`${id}-${sp}`) };
        await post('/v1/service-providers', 201, { id: `${id}-${sp}`, name: sp, idp: id, layer: 'sp', channels: [channel] });
      }
      clients[id] = {
        client_id: id,
        client_secret: secret(),
        redirect_uris: [callback],
        backchannel_logout_uri: relay.via(service.url, `/oidc/backchannel-logout/${id}`),
        backchannel_logout_session_required: id === 'hub',
        ...(encryption && {
          jwks_uri: `${service.url}/idps/${id}/rp-jwks.json`,
          id_token_encrypted_response_alg: encryption.alg,
          id_token_encrypted_response_enc: encryption.enc,
        }),
      };
    }
    op = await startOp({ port, keys, clients: Object.values(clients) });
  }, 60_000);

  afterAll(async () => {
    await op?.stop();
    await Promise.all([relay?.close(), sink?.close()]);
    await service?.stop();
  });

  it('BCL-34 to BCL-49 its logout token, as it comes, is taken; the applications of that one session are told, and no others', async () => {
    const [here, elsewhere] = [new Person('ada'), new Person('ada')];
    const [first, second] = [await signIn('hub', here), await signIn('hub', elsewhere)];
    expect(first.sid).not.toBe(second.sid);
    const logout = await signOut('hub', here);
    const { header, claims, status } = relay.passed.at(-1)!;
    expect(header).toMatchObject({ alg: 'RS256', typ: 'logout+jwt', kid: 'op-rsa' });
    expect(claims).toEqual({
      iss: op.issuer,
      aud: 'hub',
      iat: expect.any(Number),
      exp: claims.iat! + 120,
      jti: expect.any(String),
      sub: 'ada',
      sid: first.sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(status).toBe(200);
    expect(logout).toMatchObject({ verdict: 'complete', initiator: 'idp', counts: { total: SPS.length, confirmed: SPS.length } });
    for (const sp of SPS) {
      expect(sidsTold('hub', sp)).toEqual([`${sp} of ${first.sid}`]);
      await verified('hub', sp);
    }
    await signOut('hub', elsewhere);
    for (const sp of SPS) expect(sidsTold('hub', sp)).toEqual([`${sp} of ${first.sid}`, `${sp} of ${second.sid}`]);
  });

  it('BCL-17 without backchannel_logout_session_required it sends sub alone, and every session of the user ends', async () => {
    const [here, elsewhere, other] = [new Person('bob'), new Person('bob'), new Person('cyd')];
    const sids = [await signIn('by-user', here), await signIn('by-user', elsewhere)].map(({ sid }) => sid);
    await signIn('by-user', other);
    const logout = await signOut('by-user', here);
    expect(relay.passed.at(-1)!.claims).toMatchObject({ sub: 'bob' });
    expect(relay.passed.at(-1)!.claims).not.toHaveProperty('sid');
    expect(logout).toMatchObject({ verdict: 'complete', counts: { confirmed: 2 * SPS.length } });
    for (const sp of SPS) expect(sidsTold('by-user', sp).sort()).toEqual(sids.map((sid) => `${sp} of ${sid}`).sort());
  });

  it('BCL-33 its encrypted logout token, to the key that we publish for it, is taken', async () => {
    const eve = new Person('eve');
    await signIn('encrypted', eve);
    const logout = await signOut('encrypted', eve);
    expect(relay.passed.at(-1)).toMatchObject({ header: { ...ENCRYPTION, cty: 'JWT' }, status: 200 });
    expect(logout).toMatchObject({ verdict: 'complete', counts: { confirmed: SPS.length } });
  });
});

/** By the code flow; and the hub tells Exeunt of the session, and of those of its applications. */
async function signIn(client: Client, person: Person): Promise<{ sid: string; sub: string }> {
  const identity = await identify(client, person);
  const sid = identity.sid ?? `hub session ${++counter}`;
  const handles = { sid, sub: identity.sub };
  const joins = SPS.map((sp) => ({
    type: 'session.joined',
    parent: { sid },
    sp: `${client}-${sp}`,
    handles: { ...handles, sid: `${sp} of ${sid}` },
  }));
  const events = [{ type: 'session.started', handles }, ...joins].map((event) => ({ ...event, id: `e${++counter}`, idp: client }));
  const { results } = await post<{ results: { status: string }[] }>('/v1/events', 202, { events });
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['accepted']));
  return handles;
}

let counter = 0;

async function identify(client: Client, person: Person): Promise<{ sid?: string; sub: string }> {
  const { client_id, client_secret } = clients[client];
  const config = await oidc.discovery(new URL(op.issuer), client_id, client_secret, undefined, { execute: [oidc.allowInsecureRequests] });
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const parameters = {
    redirect_uri: callback,
    scope: 'openid',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  const { location } = await person.logIn(oidc.buildAuthorizationUrl(config, parameters).href, callback);
  // Only Exeunt has the private key to which this client's tokens are encrypted; the user's name is all that the hub knows.
  if (client === 'encrypted') return { sub: person.name };
  const claims = (await oidc.authorizationCodeGrant(config, location!, { pkceCodeVerifier })).claims()!;
  return { sub: claims.sub, ...(typeof claims.sid === 'string' && { sid: claims.sid }) };
}

/** At the OP, which tells Exeunt; until the applications have been told. */
async function signOut(client: Client, person: Person): Promise<Record<string, unknown>> {
  const known = (await logoutsOf(client)).length;
  const told = op.said.length;
  await person.logOut(op.issuer);
  await eventually(
    async () => op.said.slice(told),
    (said) => said.length > 0,
  );
  expect(op.said.slice(told)).toEqual([{ told: client }]);
  const logouts = await eventually(
    () => logoutsOf(client),
    (items) => items.length > known && items.every(({ verdict }) => verdict !== 'pending'),
  );
  return (await service.call('GET', `/v1/logouts/${logouts[0]!.id}`)).body;
}

/** The newest first. */
async function logoutsOf(idp: string): Promise<{ id: string; verdict: string }[]> {
  return (await service.call<{ items: { id: string; verdict: string }[] }>('GET', `/v1/logouts?idp=${idp}`)).body.items;
}

const sidsTold = (client: Client, sp: string) => sink.of(`${client}-${sp}`).map(({ token }) => decodeJwt(token).sid);

/** What the applications get is signed by Exeunt as the OP. */
async function verified(client: Client, sp: string): Promise<void> {
  const keys = createRemoteJWKSet(new URL(`${service.url}/idps/${client}/jwks.json`));
  const { protectedHeader } = await jwtVerify(sink.of(`${client}-${sp}`)[0]!.token, keys, {
    issuer: op.issuer,
    audience: sp,
    typ: 'logout+jwt',
  });
  expect(protectedHeader.kid).not.toMatch(/^op-/);
}

async function post<Body>(path: string, status: number, body: unknown): Promise<Body> {
  const answer = await service.call('POST', path, body);
  expect(answer).toMatchObject({ status });
  return answer.body as Body;
}
