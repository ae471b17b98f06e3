import { eventually, startService } from '../support/service.js';
import type { Service } from '../support/service.js';
import { startSpSink } from '../support/sp-sink.js';
import type { SpSink } from '../support/sp-sink.js';

let service: Service;
let sink: SpSink;
let next = 0;

beforeAll(async () => {
  sink = await startSpSink();
  service = await startService();
  const oidc = { issuer: 'https://idp.example', jwksUri: 'https://idp.example/jwks' };
  expect(await service.call('POST', '/v1/identity-providers', { id: 'idp', name: 'IdP', oidc })).toMatchObject({ status: 201 });
});
afterAll(async () => {
  await sink.close();
  await service.stop();
});

const channelTo = (uri: string): object => ({ type: 'oidc-backchannel', clientId: 'c', uri, signingAlg: 'ES256' });

async function registerSp(channels?: object[]): Promise<string> {
  const id = `sp${++next}`;
  const body = { id, name: id, idp: 'idp', layer: 'sp', channels: channels ?? [channelTo(sink.uri(id))] };
  expect(await service.call('POST', '/v1/service-providers', body)).toMatchObject({ status: 201 });
  return id;
}

async function logOutAt(sp: string): Promise<void> {
  const sid = `sid${++next}`;
  const events = [
    { id: `a${next}`, type: 'session.started', idp: 'idp', handles: { sid } },
    { id: `b${next}`, type: 'session.joined', idp: 'idp', parent: { sid }, sp, handles: {} },
  ];
  await service.call('POST', '/v1/events', { events });
  const wait = { headers: { prefer: 'wait=10' } };
  const answer = await service.call('POST', '/v1/logouts', { target: { idp: 'idp', sid }, cause: 'user' }, wait);
  expect(answer.body['verdict']).not.toBe('pending');
}

/** The value of one series; 0 when there is none yet. */
async function read(series: string): Promise<number> {
  const { body } = await service.call<string>('GET', '/metrics', undefined, { token: null });
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** By how much the series have grown through what was done. */
async function growth(series: string[], act: () => Promise<void>): Promise<number[]> {
  const before = await Promise.all(series.map(read));
  await act();
  return (await Promise.all(series.map(read))).map((value, at) => value - before[at]!);
}

describe('the metrics say what happened in the running service', () => {
  it('a session that was ended counts once, and for how long it was exposed', async () => {
    const sp = await registerSp();
    const series = [
      'exeunt_deliveries_settled_total{channel="oidc-backchannel",outcome="confirmed"}',
      'exeunt_logout_exposure_seconds_count',
      'exeunt_logouts_completed_total{verdict="complete"}',
    ];
    expect(await growth(series, () => logOutAt(sp))).toEqual([1, 1, 1]);
  });

  it('an address that is refused at delivery counts as refused by the egress, and exposes nothing as known', async () => {
    const sp = await registerSp();
    // Registered when it was allowed; the network has left the list since.
    const channels = JSON.stringify([{ ...channelTo('https://10.1.2.3/logout'), sessionRequired: false, tell: 'session' }]);
    await service.database.query('UPDATE service_providers SET channels = $2 WHERE id = $1', [sp, channels]);
    const series = [
      'exeunt_egress_refused_total',
      'exeunt_deliveries_settled_total{channel="oidc-backchannel",outcome="refused"}',
      'exeunt_logout_exposure_seconds_count',
    ];
    expect(await growth(series, () => logOutAt(sp))).toEqual([1, 1, 0]);
  });

  it('an SP that cannot be told counts as skipped, and its logout as failed', async () => {
    const sp = await registerSp([]);
    const series = [
      'exeunt_deliveries_settled_total{channel="none",outcome="skipped"}',
      'exeunt_logouts_completed_total{verdict="failed"}',
    ];
    expect(await growth(series, () => logOutAt(sp))).toEqual([1, 1]);
  });

  it('an SP that was deregistered while its breaker was open is not reported as failing for ever', async () => {
    const sp = await registerSp();
    sink.behave(sp, 500);
    const sid = `sid${++next}`;
    const joins = Array.from({ length: 6 }, (_, at) => ({
      id: `j${next}-${at}`,
      type: 'session.joined',
      idp: 'idp',
      parent: { sid },
      sp,
      handles: { sid: `${sid}-${at}` },
    }));
    await service.call('POST', '/v1/events', {
      events: [{ id: `s${next}`, type: 'session.started', idp: 'idp', handles: { sid } }, ...joins],
    });
    await service.call('POST', '/v1/logouts', { target: { idp: 'idp', sid }, cause: 'user' });
    const breaker = `exeunt_breaker_open{sp="${sp}"}`;
    await eventually(
      () => read(breaker),
      (open) => open === 1,
    );
    expect((await service.call('DELETE', `/v1/service-providers/${sp}`)).status).toBeLessThan(300);
    const listed = async (): Promise<boolean> =>
      (await service.call<string>('GET', '/metrics', undefined, { token: null })).body.includes(breaker);
    await eventually(listed, (is) => !is);
  });
});
