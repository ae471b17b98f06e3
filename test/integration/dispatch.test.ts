import type { DeliveryRecord } from '#ledger';
import { describeOnRedis } from '../support/redis.js';
import { eventually, startService } from '../support/service.js';
import type { Service, ServiceOptions } from '../support/service.js';
import { startSpSink } from '../support/sp-sink.js';
import type { SpSink } from '../support/sp-sink.js';

interface Logout {
  id: string;
  verdict: string;
  counts: Record<string, number>;
  deliveries: (Pick<DeliveryRecord, 'outcome' | 'detail'> & {
    sp: string;
    exposureSeconds?: number;
    attempts: { n: number; result?: string; httpStatus?: number; jti?: string; startedAt: string; error?: string }[];
  })[];
}

describe('dispatch [postgres]', () => suite({}));
describeOnRedis('dispatch', (redisUrl) => suite({ redisUrl }));

function suite(options: ServiceOptions): void {
  let service: Service;
  let sink: SpSink;
  let next = 0;
  beforeAll(async () => {
    sink = await startSpSink();
    service = await startService({
      ...options,
      dispatch: {
        attemptTimeoutMs: 400,
        attemptTimeoutLimitMs: 1_000,
        layerWaitMs: 700,
        jobWaitMs: 50,
        breakerFailures: 3,
        sweepGraceSeconds: 2,
        leaseSeconds: 5,
      },
    });
    const { status } = await service.call('POST', '/v1/identity-providers', {
      id: 'idp',
      name: 'IdP',
      oidc: { issuer: 'https://idp.example', jwksUri: 'https://idp.example/jwks' },
    });
    expect(status).toBe(201);
  });
  afterAll(async () => {
    await sink.close();
    await service.stop();
  });

  /** Registers an SP with a name of its own; its channels point at the sink, one path a channel. */
  async function registerSp(more: { layer?: string; channels?: object[]; [field: string]: unknown } = {}): Promise<string> {
    const id = `sp${++next}`;
    const channels = more.channels ?? [{ type: 'oidc-backchannel', clientId: id, uri: sink.uri(id), signingAlg: 'ES256' }];
    const answer = await service.call('POST', '/v1/service-providers', { id, name: id, idp: 'idp', layer: 'sp', ...more, channels });
    expect(answer).toMatchObject({ status: 201 });
    return id;
  }
  async function loginAt(...sps: string[]): Promise<string> {
    const sid = `sid${++next}`;
    const events = [
      { id: `e${++next}`, type: 'session.started', idp: 'idp', handles: { sid, sub: `user${next}` } },
      ...sps.map((sp) => ({ id: `e${++next}`, type: 'session.joined', idp: 'idp', parent: { sid }, sp, handles: {} })),
    ];
    const { body } = await service.call<{ results: { status: string }[] }>('POST', '/v1/events', { events });
    expect(body.results.every((result) => result.status === 'accepted')).toBe(true);
    return sid;
  }
  async function logOut(sid: string, wait = 0): Promise<string> {
    const target = { idp: 'idp', sid };
    const answer = await service.call<{ id: string }>(
      'POST',
      '/v1/logouts',
      { target, cause: 'user' },
      { headers: { prefer: `wait=${wait}` } },
    );
    expect(answer.status).toBe(202);
    return answer.body.id;
  }
  const read = async (id: string): Promise<Logout> => (await service.call<Logout>('GET', `/v1/logouts/${id}`)).body;
  const final = (id: string): Promise<Logout> =>
    eventually(
      () => read(id),
      (logout) => logout.verdict !== 'pending',
    );
  const by = (logout: Logout, sp: string): Logout['deliveries'][number] => logout.deliveries.find((delivery) => delivery.sp === sp)!;

  it('tells every SP once, and the ledger proves it', async () => {
    const sps = await Promise.all(Array.from({ length: 5 }, () => registerSp()));
    const logout = await final(await logOut(await loginAt(...sps), 10));
    expect(logout).toMatchObject({ verdict: 'complete', counts: { total: 5, confirmed: 5 } });
    for (const delivery of logout.deliveries) {
      const [attempt, ...more] = delivery.attempts;
      expect(more).toEqual([]);
      expect(attempt).toMatchObject({ n: 1, result: 'confirmed', httpStatus: 200 });
      expect(sink.of(delivery.sp).map((one) => one.claims.jti)).toEqual([attempt!.jti]);
      expect(delivery.exposureSeconds).toBeGreaterThanOrEqual(0);
    }
  });

  it('BCL-27 BCL-28 tries again after a passing failure, with a new jti each time', async () => {
    const sp = await registerSp();
    sink.behave(sp, (response, nth) => response.writeHead(nth < 3 ? 503 : 200).end());
    const logout = await final(await logOut(await loginAt(sp)));
    expect(logout.verdict).toBe('complete');
    expect(by(logout, sp).attempts.map((attempt) => attempt.httpStatus)).toEqual([503, 503, 200]);
    expect(new Set(sink.of(sp).map((one) => one.claims.jti)).size).toBe(3);
  });

  it('BCL-27 a 400 is final, and is never tried again', async () => {
    const [bad, good] = [await registerSp(), await registerSp()];
    sink.behave(bad, 400);
    const logout = await final(await logOut(await loginAt(bad, good)));
    expect(logout.verdict).toBe('partial');
    expect(by(logout, bad)).toMatchObject({ outcome: 'refused', attempts: [{ result: 'refused', httpStatus: 400 }] });
    expect(sink.of(bad)).toHaveLength(1);
  });

  it('the ladder: a refused channel is followed by the next one', async () => {
    const id = `sp${next + 1}`;
    const [first, second] = [`${id}-old`, `${id}-new`];
    const channel = (path: string): object => ({ type: 'oidc-backchannel', clientId: path, uri: sink.uri(path) });
    const sp = await registerSp({ channels: [channel(first), channel(second)] });
    sink.behave(first, 404);
    const logout = await final(await logOut(await loginAt(sp)));
    expect(by(logout, sp)).toMatchObject({ outcome: 'confirmed', attempts: [{ result: 'refused' }, { result: 'confirmed' }] });
    expect(sink.of(second)[0]!.claims.aud).toBe(second);
  });

  it('an SP that never answers delays nobody else', async () => {
    const dead = await registerSp();
    sink.behave(dead, 'hang');
    const healthy = await Promise.all(Array.from({ length: 10 }, () => registerSp()));
    const id = await logOut(await loginAt(dead, ...healthy));
    const logout = await eventually(
      () => read(id),
      (seen) => (seen.counts['confirmed'] ?? 0) === 10,
    );
    expect(by(logout, dead).outcome).toMatch(/pending|retrying/);
  });

  it('an SP that does not answer until the deadline is unreachable, and the logout says so', async () => {
    const sp = await registerSp();
    sink.behave(sp, 503);
    const id = await logOut(await loginAt(sp));
    await service.database.query("UPDATE deliveries SET deadline_at = now() + interval '300 milliseconds' WHERE logout_id = $1", [id]);
    const logout = await final(id);
    expect(logout.verdict).toBe('failed');
    expect(by(logout, sp)).toMatchObject({ outcome: 'unreachable', detail: expect.stringContaining('503') });
    expect(by(logout, sp).exposureSeconds).toBeUndefined();
  });

  it('an SP that answers again is told at once by all that wait for it', async () => {
    const sp = await registerSp();
    sink.behave(sp, 500);
    const ids = [];
    for (let at = 0; at < 6; at++) ids.push(await logOut(await loginAt(sp)));
    await eventually(
      async () => sink.of(sp).length,
      (count) => count >= 3,
    );
    sink.behave(sp, 200);
    for (const id of ids) expect(await final(id)).toMatchObject({ verdict: 'complete' });
  });

  it('top down: a gateway is told before what lies behind it', async () => {
    const gateway = await registerSp({ layer: 'gateway' });
    const sp = await registerSp();
    sink.behave(gateway, (response) => void setTimeout(() => response.writeHead(200).end(), 150));
    await final(await logOut(await loginAt(gateway, sp), 5));
    expect(sink.of(sp)[0]!.at - sink.of(gateway)[0]!.at).toBeGreaterThanOrEqual(145);
  });

  it('top down, but only so long: a gateway that never answers does not keep the others waiting', async () => {
    const gateway = await registerSp({ layer: 'gateway' });
    const sp = await registerSp();
    sink.behave(gateway, 'hang');
    const id = await logOut(await loginAt(gateway, sp));
    const logout = await eventually(
      () => read(id),
      (seen) => by(seen, sp).outcome === 'confirmed',
    );
    expect(by(logout, gateway).outcome).not.toBe('confirmed');
  });

  it('an SP without a channel, a disabled one and one that was deregistered are skipped, each with its row', async () => {
    const mute = await registerSp({ channels: [] });
    const off = await registerSp();
    const gone = await registerSp();
    const sid = await loginAt(mute, off, gone);
    const { body } = await service.call('GET', `/v1/service-providers/${off}`);
    expect(await service.call('PUT', `/v1/service-providers/${off}`, { ...body, enabled: false })).toMatchObject({ status: 200 });
    expect((await service.call('DELETE', `/v1/service-providers/${gone}`)).status).toBeLessThan(300);
    const logout = await final(await logOut(sid));
    expect(logout).toMatchObject({ verdict: 'failed', counts: { total: 3, skipped: 3 } });
    expect([mute, off, gone].map((sp) => by(logout, sp).detail)).toEqual([
      'the service provider has no channel',
      'the service provider is disabled',
      'the service provider is not registered any more',
    ]);
  });

  it('BCL-5 a channel that needs a sid is unusable without one, and nothing is sent', async () => {
    const id = `sp${next + 1}`;
    const sp = await registerSp({ channels: [{ type: 'oidc-backchannel', clientId: id, uri: sink.uri(id), sessionRequired: true }] });
    const events = [
      { id: `e${++next}`, type: 'session.started', idp: 'idp', handles: { sub: 'no-sid', sessionIndex: `x${next}` } },
      { id: `f${next}`, type: 'session.joined', idp: 'idp', parent: { sessionIndex: `x${next}` }, sp, handles: {} },
      { id: `g${next}`, type: 'session.ended', idp: 'idp', handles: { sub: 'no-sid' } },
    ];
    const { body } = await service.call<{ results: { logoutId: string }[] }>('POST', '/v1/events', { events });
    const logout = await final(body.results[2]!.logoutId);
    expect(by(logout, sp)).toMatchObject({ outcome: 'skipped', attempts: [{ result: 'unusable' }] });
    expect(sink.of(sp)).toEqual([]);
  });

  it('a session whose own lifetime ends before it could be told is expired', async () => {
    const sp = await registerSp();
    sink.behave(sp, 500);
    const sid = await loginAt(sp);
    await service.database.query("UPDATE sessions SET expires_at = now() + interval '300 milliseconds' WHERE sp_id = $1", [sp]);
    const logout = await final(await logOut(sid));
    expect(by(logout, sp).outcome).toBe('expired');
    expect(logout.verdict).toBe('complete');
    expect(by(logout, sp).exposureSeconds).toBeLessThanOrEqual(0.4);
  });

  it('an operator replays what failed, and the report counts how it ended last', async () => {
    const sp = await registerSp();
    sink.behave(sp, 400);
    const id = await logOut(await loginAt(sp));
    expect(await final(id)).toMatchObject({ verdict: 'failed' });
    sink.behave(sp, 200);
    expect(await service.call('POST', `/v1/logouts/${id}/replay`)).toMatchObject({ status: 202, body: { reopened: 1 } });
    expect(await final(id)).toMatchObject({ verdict: 'complete' });
    expect(await service.call('POST', `/v1/logouts/${id}/replay`)).toMatchObject({ status: 202, body: { reopened: 0 } });
    const { body } = await service.call<{ items: { key: string; outcomes: Record<string, number> }[] }>(
      'GET',
      '/v1/reports/completion?by=sp',
    );
    expect(body.items.find((item) => item.key === sp)!.outcomes).toMatchObject({ confirmed: 1, refused: 0 });
  });

  it('what the queue has lost is brought back by the sweeper', async () => {
    const sp = await registerSp();
    const sid = await loginAt(sp);
    const { CoordinateLogout } = await import('#coordinator');
    const coordinator = service.app.get(CoordinateLogout, { strict: false });
    // The transaction commits and the process "dies" before the job is enqueued: begin() is never called.
    const [answer] = await service.database.transaction((sql) =>
      coordinator.endInTransaction(sql, 'idp', [{ target: { sid }, cause: 'user', initiator: 'user', scope: 'session', reason: null }]),
    );
    if (answer!.kind !== 'started') throw new Error('a logout was expected');
    expect(await final(answer!.logoutId)).toMatchObject({ verdict: 'complete' });
  });

  it('an attempt that was written but never ended is sent again when its lease is over', async () => {
    const sp = await registerSp();
    const sid = await loginAt(sp);
    const { CoordinateLogout } = await import('#coordinator');
    const { leaseDeliveries } = await import('#ledger');
    const coordinator = service.app.get(CoordinateLogout, { strict: false });
    const [answer] = await service.database.transaction((sql) =>
      coordinator.endInTransaction(sql, 'idp', [{ target: { sid }, cause: 'user', initiator: 'user', scope: 'session', reason: null }]),
    );
    if (answer!.kind !== 'started') throw new Error('a logout was expected');
    const now = new Date();
    // A worker leases it and dies before it sends.
    expect(await leaseDeliveries(service.database, [answer!.logoutId], now, new Date(now.getTime() + 1_000), [])).toHaveLength(1);
    const logout = await final(answer!.logoutId);
    expect(by(logout, sp).attempts.map((attempt) => attempt.result)).toEqual([undefined, 'confirmed']);
    expect(sink.of(sp)).toHaveLength(1);
  });
}
