import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeOnRedis } from '../support/redis.js';
import { startService } from '../support/service.js';
import type { Service, ServiceOptions } from '../support/service.js';
import { startSpSink } from '../support/sp-sink.js';
import type { SpSink } from '../support/sp-sink.js';

jest.setTimeout(120_000);

const LOGOUTS = 400;
const SPS = ['narrow-1', 'narrow-2'];
const CONCURRENCY = 2;
const WAITING = 8;
/** What one turn of leasing may give a lane beyond its room: one delivery of each logout. */
const A_TURN = 20;

describe('many logouts at once [postgres]', () => suite({}));
describeOnRedis('many logouts at once', (redisUrl) => suite({ redisUrl }));

function suite(options: ServiceOptions): void {
  let service: Service;
  let sink: SpSink;
  beforeAll(async () => {
    sink = await startSpSink();
    service = await startService({ ...options, dispatch: { laneConcurrency: CONCURRENCY, laneQueueFactor: WAITING / CONCURRENCY } });
    await service.call('POST', '/v1/identity-providers', { id: 'idp', name: 'IdP', oidc: { issuer: 'https://idp.example' } });
    for (const id of SPS) {
      const channels = [{ type: 'oidc-backchannel', clientId: id, uri: sink.uri(id), signingAlg: 'ES256' }];
      await service.call('POST', '/v1/service-providers', { id, name: id, idp: 'idp', channels });
      sink.behave(id, (response) => void setTimeout(() => response.writeHead(200).end(), 5));
    }
  });
  afterAll(async () => {
    await sink.close();
    await service.stop();
  });

  it('a worker holds no more than its lanes take, and a lane that was full goes on without a pause until all are told', async () => {
    const users = Array.from({ length: LOGOUTS }, (_, user) => user);
    for (let at = 0; at < LOGOUTS; at += 100) {
      const events = users
        .slice(at, at + 100)
        .flatMap((user) => [
          { id: `in${user}`, type: 'session.started', idp: 'idp', handles: { sid: `s${user}` } },
          ...SPS.map((sp) => ({ id: `join${user}-${sp}`, type: 'session.joined', idp: 'idp', parent: { sid: `s${user}` }, sp })),
        ]);
      expect(await service.call('POST', '/v1/events', { events })).toMatchObject({ status: 202 });
    }
    const endings = users.map((user) => ({ id: `out${user}`, type: 'session.ended', idp: 'idp', handles: { sid: `s${user}` } }));
    const begin = performance.now();
    expect(await service.call('POST', '/v1/events', { events: endings })).toMatchObject({ status: 202 });

    let mostLeased = 0;
    for (;;) {
      const [seen] = await service.database.query<{ open: number; leased: number }>(
        `SELECT (SELECT count(*)::int FROM logouts WHERE completed_at IS NULL) AS open, (SELECT count(*)::int FROM deliveries WHERE lease_until IS NOT NULL) AS leased`,
      );
      mostLeased = Math.max(mostLeased, seen!.leased);
      if (seen!.open === 0) break;
      if (performance.now() - begin > 60_000) throw new Error(`${seen!.open} of ${LOGOUTS} logouts are open after a minute`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(mostLeased).toBeGreaterThan(0);
    // And a turn more, for those whose end is being written down.
    expect(mostLeased).toBeLessThanOrEqual(SPS.length * (CONCURRENCY + WAITING + 2 * A_TURN));
    const [counts] = await service.database.query<{ deliveries: number; attempts: number }>(
      'SELECT count(*)::int AS deliveries, sum(attempts)::int AS attempts FROM deliveries',
    );
    expect(counts).toEqual({ deliveries: LOGOUTS * SPS.length, attempts: LOGOUTS * SPS.length });
    expect(sink.received).toHaveLength(LOGOUTS * SPS.length);
  });
}
