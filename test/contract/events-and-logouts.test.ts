import { EVENTS_A_BATCH } from '../../src/intake/rest/event-schemas.js';
import { eventually, startService } from '../support/service.js';
import type { Answer, Service } from '../support/service.js';
import { startSpSink } from '../support/sp-sink.js';
import type { SpSink } from '../support/sp-sink.js';

interface Problem {
  type: string;
  detail: string;
  errors?: { field: string; seen?: unknown; rule: string }[];
}
interface Results {
  results: { id: string | null; status: string; sessionId?: string; logoutId?: string; error?: Problem }[];
}

let service: Service;
let sink: SpSink;
const keys: Record<string, string> = {};

beforeAll(async () => {
  sink = await startSpSink();
  service = await startService();
  for (const id of ['acme', 'other']) {
    const oidc = { issuer: `https://${id}.example`, jwksUri: `https://${id}.example/jwks` };
    keys[id] = (await service.call<{ apiKey: string }>('POST', '/v1/identity-providers', { id, name: id, oidc })).body.apiKey;
    const channels = [{ type: 'oidc-backchannel', clientId: id, uri: sink.uri(`app-${id}`) }];
    const sp = await service.call<{ apiKey: string }>('POST', '/v1/service-providers', {
      id: `app-${id}`,
      name: id,
      idp: id,
      layer: 'sp',
      channels,
    });
    keys[`app-${id}`] = sp.body.apiKey;
  }
});
afterAll(async () => {
  await sink.close();
  await service.stop();
});

let next = 0;
const id = (): string => `id-${++next}`;
const post = (events: unknown[], token = keys['acme']): Promise<Answer<Results>> =>
  service.call('POST', '/v1/events', { events }, { token });
const started = (more: object = {}): object => ({ id: id(), type: 'session.started', idp: 'acme', handles: { sid: id() }, ...more });

describe('POST /v1/events', () => {
  it('answers 202 with one result an event, in order', async () => {
    const sid = id();
    const events = [
      started({ handles: { sid, sub: 'alice' } }),
      { id: id(), type: 'session.joined', idp: 'acme', parent: { sid }, sp: 'app-acme', handles: {} },
      { id: id(), type: 'session.touched', idp: 'acme', handles: { sid } },
      { id: id(), type: 'session.ended', idp: 'acme', handles: { sid }, initiator: 'user' },
    ];
    const { status, body } = await post(events);
    expect(status).toBe(202);
    expect(body.results.map((result) => result.id)).toEqual(events.map((event) => (event as { id: string }).id));
    expect(body.results.map((result) => result.status)).toEqual(['accepted', 'accepted', 'accepted', 'accepted']);
    expect(body.results[1]!.sessionId).toBeDefined();
    expect(body.results[3]!.logoutId).toBeDefined();
    const logout = await eventually(
      () => service.call('GET', `/v1/logouts/${body.results[3]!.logoutId}`),
      (answer) => answer.body['verdict'] === 'complete',
    );
    expect(logout.body).toMatchObject({ cause: 'user', initiator: 'user', idp: 'acme', target: { sid }, sessions: 2 });
    expect((await post(events)).body.results.map((result) => result.status)).toEqual(Array(4).fill('duplicate'));
  });

  it('one bad event does not cost the others; its error names the field, the value seen and the rule', async () => {
    const { status, body } = await post([
      started(),
      { id: 'bad', type: 'session.started', idp: 'acme', handles: { sid: 7 } },
      { id: 'unknown', type: 'session.exploded', idp: 'acme' },
      'not an event',
      started(),
    ]);
    expect(status).toBe(202);
    expect(body.results.map((result) => result.status)).toEqual(['accepted', 'rejected', 'rejected', 'rejected', 'accepted']);
    expect(body.results[1]).toMatchObject({
      id: 'bad',
      error: { type: 'urn:exeunt:problem:validation', errors: [{ field: '/handles/sid', seen: 7 }] },
    });
    expect(body.results[2]!.error!.errors![0]).toMatchObject({ field: '/type', seen: 'session.exploded' });
    expect(body.results[3]!.id).toBeNull();
  });

  it.each([
    ['no handles', { handles: {} }, '/handles'],
    ['a sid beyond printable ASCII (BCL-20)', { handles: { sid: 'sé' } }, '/handles/sid'],
    ['an unknown member', { handles: { sid: 'a' }, colour: 'red' }, '/colour'],
    ['a lifetime that is no instant', { expiresAt: 'tomorrow' }, '/expiresAt'],
    ['an idle timeout of zero', { idleTimeoutSeconds: 0 }, '/idleTimeoutSeconds'],
  ])('rejects an event with %s', async (_, more, field) => {
    const { body } = await post([started(more)]);
    expect(body.results[0]).toMatchObject({ status: 'rejected', error: { type: 'urn:exeunt:problem:validation' } });
    expect(body.results[0]!.error!.errors!.map((fault) => fault.field)).toContain(field);
  });

  it('an event of another identity provider is forbidden to a key, and says of which it is', async () => {
    const { body } = await post([started({ idp: 'other' }), started()]);
    expect(body.results[0]).toMatchObject({ status: 'rejected', error: { type: 'urn:exeunt:problem:forbidden' } });
    expect(body.results[0]!.error!.detail).toMatch(/"acme".*"other"/);
    expect(body.results[1]!.status).toBe('accepted');
  });

  it('the administrator may post for several, and learns of one that does not exist', async () => {
    const { body } = await service.call<Results>('POST', '/v1/events', {
      events: [started(), started({ idp: 'other' }), started({ idp: 'nobody' })],
    });
    expect(body.results.map((result) => result.status)).toEqual(['accepted', 'accepted', 'rejected']);
    expect(body.results[2]!.error).toMatchObject({ type: 'urn:exeunt:problem:not_found' });
  });

  it('takes a thousand events in one batch, and refuses one more by the number', async () => {
    const full = await post(Array.from({ length: EVENTS_A_BATCH }, () => started()));
    expect(full.body.results.every((result) => result.status === 'accepted')).toBe(true);
    const tooMany = await service.call<Problem>('POST', '/v1/events', {
      events: Array.from({ length: EVENTS_A_BATCH + 1 }, () => started()),
    });
    expect(tooMany).toMatchObject({ status: 422, body: { type: 'urn:exeunt:problem:validation' } });
    expect(tooMany.body.errors![0]).toMatchObject({ field: '/events' });
    expect(tooMany.body.errors![0]!.rule).toContain('1000');
  });

  it.each([
    ['no events', { events: [] }],
    ['no list', { event: {} }],
    ['an array', []],
  ])('refuses a body with %s as a whole', async (_, body) => {
    expect(await service.call('POST', '/v1/events', body)).toMatchObject({ status: 422 });
  });

  it('refuses malformed JSON with 400 and a wrong content type with 415, as problems', async () => {
    const malformed = await service.call<Problem>('POST', '/v1/events', '{"events": [');
    expect([malformed.status, malformed.body.type]).toEqual([400, 'urn:exeunt:problem:malformed']);
    const wrong = await service.call<Problem>('POST', '/v1/events', 'a=b', { headers: { 'content-type': 'text/plain' } });
    expect([wrong.status, wrong.headers.get('content-type')]).toEqual([415, expect.stringContaining('application/problem+json')]);
  });

  it('an SP may neither post events nor ask for logouts; a stranger is asked who it is', async () => {
    const asSp = { token: keys['app-acme']! };
    expect((await service.call('POST', '/v1/events', { events: [started()] }, asSp)).status).toBe(403);
    expect((await service.call('POST', '/v1/logouts', { target: { idp: 'acme', sid: 'x' }, cause: 'user' }, asSp)).status).toBe(403);
    for (const token of [null, 'nonsense', `${keys['acme']}x`]) {
      const answer = await service.call('POST', '/v1/events', { events: [] }, { token });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Bearer')]);
    }
  });
});

describe('logouts', () => {
  async function login(idp = 'acme'): Promise<{ sid: string; root: string; atSp: string }> {
    const sid = id();
    const { body } = await service.call<Results>('POST', '/v1/events', {
      events: [
        started({ idp, handles: { sid, sub: `user-${sid}` } }),
        { id: id(), type: 'session.joined', idp, parent: { sid }, sp: `app-${idp}`, handles: {} },
      ],
    });
    return { sid, root: body.results[0]!.sessionId!, atSp: body.results[1]!.sessionId! };
  }

  it('POST answers 202 with the id and its Location; Prefer: wait waits for the last delivery', async () => {
    const { sid } = await login();
    const answer = await service.call<{ id: string; verdict: string }>(
      'POST',
      '/v1/logouts',
      { target: { idp: 'acme', sid }, cause: 'credential_change', reason: 'password reset' },
      { token: keys['acme']!, headers: { prefer: 'wait=10' } },
    );
    expect(answer).toMatchObject({ status: 202, body: { verdict: 'complete' } });
    expect(answer.headers.get('location')).toBe(`/v1/logouts/${answer.body.id}`);
    expect(answer.headers.get('preference-applied')).toBe('wait=10');
    const { body } = await service.call('GET', `/v1/logouts/${answer.body.id}`);
    expect(body).toMatchObject({
      cause: 'credential-change',
      reason: 'password reset',
      initiator: 'idp',
      counts: { total: 1, confirmed: 1 },
    });
  });

  it('waits no longer than it was asked to', async () => {
    const { sid } = await login();
    sink.behave('app-acme', 'hang');
    const begin = performance.now();
    const answer = await service.call(
      'POST',
      '/v1/logouts',
      { target: { idp: 'acme', sid }, cause: 'user' },
      { headers: { prefer: 'wait=1' } },
    );
    sink.behave('app-acme', 200);
    expect(answer).toMatchObject({ status: 202, body: { verdict: 'pending' } });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
  });

  it('of what has ended before, the logout that ended it is answered', async () => {
    const { sid, root, atSp } = await login();
    const first = await service.call('POST', '/v1/logouts', { target: { sessionId: root }, cause: 'admin' });
    for (const target of [{ sessionId: root }, { sessionId: atSp }, { idp: 'acme', sid }]) {
      expect(await service.call('POST', '/v1/logouts', { target, cause: 'user' })).toMatchObject({
        status: 202,
        body: { id: first.body['id'] },
      });
    }
  });

  it.each([
    ['nothing', { cause: 'user' }, '/target'],
    ['a handle without its IdP', { target: { sid: 'x' }, cause: 'user' }, '/target/idp'],
    ['an IdP without a handle', { target: { idp: 'acme' }, cause: 'user' }, '/target'],
    ['no cause', { target: { idp: 'acme', sid: 'x' } }, '/cause'],
    ['a cause that is none', { target: { idp: 'acme', sid: 'x' }, cause: 'boredom' }, '/cause'],
    ['a session id that is none', { target: { sessionId: 'seven' }, cause: 'user' }, '/target/sessionId'],
  ])('refuses a request that names %s', async (_, body, field) => {
    const answer = await service.call<Problem>('POST', '/v1/logouts', body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors!.map((fault) => fault.field)).toContain(field);
  });

  it('an unknown session is 404; a session of another IdP looks just the same to a key', async () => {
    const { root, sid } = await login('other');
    const unknown = await service.call<Problem>('POST', '/v1/logouts', { target: { idp: 'acme', sid: 'never-seen' }, cause: 'user' });
    expect([unknown.status, unknown.body.type]).toEqual([404, 'urn:exeunt:problem:unknown_session']);
    const token = keys['acme']!;
    expect(await service.call('POST', '/v1/logouts', { target: { sessionId: root }, cause: 'user' }, { token })).toMatchObject({
      status: 404,
    });
    expect(await service.call('POST', '/v1/logouts', { target: { idp: 'other', sid }, cause: 'user' }, { token })).toMatchObject({
      status: 403,
    });
    expect((await service.call('GET', `/v1/sessions/${root}`)).body).toMatchObject({ state: 'live' });
  });

  it('an IdP sees its own logouts and sessions, and no others', async () => {
    const { sid, root } = await login('other');
    const { body } = await service.call('POST', '/v1/logouts', { target: { idp: 'other', sid }, cause: 'user' });
    for (const path of [`/v1/logouts/${String(body['id'])}`, `/v1/sessions/${root}`]) {
      expect((await service.call('GET', path, undefined, { token: keys['acme']! })).status).toBe(404);
      expect((await service.call('GET', path, undefined, { token: keys['other']! })).status).toBe(200);
      expect((await service.call('GET', path, undefined, { token: keys['app-other']! })).status).toBe(403);
    }
    const list = await service.call<{ items: { idp: string }[] }>('GET', '/v1/logouts?limit=200', undefined, { token: keys['acme']! });
    expect(new Set(list.body.items.map((item) => item.idp))).toEqual(new Set(['acme']));
    expect((await service.call('GET', '/v1/logouts?idp=other', undefined, { token: keys['acme']! })).status).toBe(403);
    expect((await service.call('GET', '/v1/reports/completion?idp=other', undefined, { token: keys['acme']! })).status).toBe(403);
  });

  it('lists page by cursor without gaps or repeats, and find by sp, verdict, time and text', async () => {
    const all: string[] = [];
    let cursor: string | undefined;
    do {
      const { body }: Answer<{ items: { id: string }[]; nextCursor?: string }> = await service.call(
        'GET',
        `/v1/logouts?limit=2${cursor ? `&cursor=${cursor}` : ''}`,
      );
      all.push(...body.items.map((item) => item.id));
      cursor = body.nextCursor;
    } while (cursor);
    expect(all.length).toBeGreaterThan(4);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(all.toSorted().reverse());

    const { sid, atSp } = await login();
    const { body: logout } = await service.call(
      'POST',
      '/v1/logouts',
      { target: { idp: 'acme', sid }, cause: 'user' },
      { headers: { prefer: 'wait=10' } },
    );
    const find = async (query: string): Promise<string[]> =>
      (await service.call<{ items: { id: string }[] }>('GET', `/v1/logouts?${query}`)).body.items.map((item) => item.id);
    for (const q of [sid, `user-${sid}`, atSp, String(logout['id'])]) expect(await find(`q=${q}`)).toEqual([logout['id']]);
    expect(await find(`sp=app-acme&limit=1`)).toEqual([logout['id']]);
    expect(await find(`sp=app-other&verdict=failed`)).toEqual([]);
    expect(await find(`to=2020-01-01T00:00:00Z`)).toEqual([]);
    expect((await service.call('GET', '/v1/logouts?cursor=abc')).status).toBe(422);
    expect((await service.call('GET', '/v1/logouts?limit=201')).status).toBe(422);
  });

  it('a session is shown with its graph', async () => {
    const { root, atSp } = await login();
    const { body } = await service.call<{ graph: { sessions: { id: string }[]; edges: object[] } }>('GET', `/v1/sessions/${atSp}`);
    expect(body.graph.sessions.map((session) => session.id)).toEqual([root, atSp]);
    expect(body.graph.edges).toEqual([{ parent: root, child: atSp }]);
    expect((await service.call('GET', '/v1/sessions/01a21092-3581-78fd-a4a3-1a662186235e')).status).toBe(404);
    expect((await service.call('GET', '/v1/sessions/nonsense')).status).toBe(422);
  });

  it('the report comes as JSON and as CSV, by every group', async () => {
    for (const by of ['sp', 'idp', 'channel', 'cause', 'day']) {
      const json = await service.call<{ items: { key: string; completionRate: number }[] }>('GET', `/v1/reports/completion?by=${by}`);
      expect(json.status).toBe(200);
      const csv = await service.call<string>('GET', `/v1/reports/completion.csv?by=${by}`);
      expect(csv.headers.get('content-type')).toContain('text/csv');
      const lines = csv.body.trim().split('\n');
      expect(lines[0]).toMatch(new RegExp(`^${by},basis,logouts,completionRate`));
      expect(lines).toHaveLength(json.body.items.length + 2);
    }
    expect((await service.call('GET', '/v1/reports/completion?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z')).status).toBe(422);
    expect((await service.call('GET', '/v1/reports/completion?by=moon')).status).toBe(422);
  });
});

describe('health', () => {
  it('healthz, readyz and metrics answer without credentials; nothing below /v1 does', async () => {
    const open = { token: null };
    expect(await service.call('GET', '/healthz', undefined, open)).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await service.call('GET', '/readyz', undefined, open)).toMatchObject({
      status: 200,
      body: { checks: { database: 'ok', worker: 'ok' } },
    });
    const metrics = await service.call<string>('GET', '/metrics', undefined, open);
    expect(metrics.body).toMatch(/exeunt_deliveries_settled_total\{channel="oidc-backchannel",outcome="confirmed"\} [1-9]/);
    for (const path of ['/v1/logouts', '/v1/sessions', '/v1/reports/completion', '/v1/identity-providers', '/v1/service-providers']) {
      expect((await service.call('GET', path, undefined, open)).status).toBe(401);
    }
  });
});
