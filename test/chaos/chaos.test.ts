import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { built } from './built.js';
import { until } from '../support/process.js';
import { describeOnRedis } from '../support/redis.js';
import { Disasters } from './disasters.js';
import type { Disaster } from './disasters.js';
import { findLosses } from './find-losses.js';
import { Load } from './load.js';
import { Stage } from './stage.js';
import type { Backend } from './stage.js';

jest.setTimeout(300_000);

/** Short, so that what a killed worker held is free again within seconds. */
const CONFIG = `
dispatch:
  attemptTimeoutMs: 1500
  attemptTimeoutLimitMs: 1900
  leaseSeconds: 2
  sweepIntervalMs: 200
  sweepGraceSeconds: 1
  layerWaitMs: 500
  retryDelaysMs: [200, 500, 1000]
  breakerOpenMs: 500
log:
  level: warn
`;
const USERS_A_ROUND = 8;
/** dispatch.concurrentJobs */
const JOBS_A_WORKER = 32;

beforeAll(built, 180_000);

describe('nothing that was acknowledged is lost [postgres]', () => {
  it('though workers, the API and Postgres are killed', () =>
    survives('postgres', [
      'worker killed',
      'worker killed',
      'api killed',
      'postgres killed',
      'worker killed',
      'postgres restarted',
      'api killed',
      'worker killed',
    ]));
});

describeOnRedis('nothing that was acknowledged is lost', () => {
  it('though workers, the API, Postgres and Redis are killed, and Redis is emptied', () =>
    survives('redis', [
      'worker killed',
      'redis emptied',
      'api killed',
      'redis killed',
      'worker killed',
      'postgres killed',
      'redis emptied',
      'worker killed',
    ]));
});

/** A round a disaster: some users log in and out, and in the middle of their logouts it strikes. */
async function survives(backend: Backend, rounds: readonly Disaster[]): Promise<void> {
  const stage = await Stage.build({ backend, sps: 5, workers: 2, config: CONFIG });
  try {
    await stage.sink.behave({ failing: 0.1, slow: 0.2, slowMs: 300 });
    const load = new Load(stage.api, stage.sps);
    const disasters = new Disasters(stage);
    for (const [round, disaster] of rounds.entries()) {
      const before = await stage.sink.count();
      const users = Array.from({ length: USERS_A_ROUND }, (_, n) => round * USERS_A_ROUND + n);
      const posted = Promise.all(users.map((user) => load.logInAndOut([user])));
      posted.catch(() => undefined);
      await until(async () => (await stage.sink.count()) > before, 'the first of this round are told', 60_000);
      await disasters.strike(disaster);
      await posted;
    }
    await stage.drained(60_000);
    const findings = await findLosses(stage, load, { withinMs: 60_000, activeAtMost: disasters.done['worker killed'] * JOBS_A_WORKER });
    expect(findings.broken).toEqual([]);
    expect(load.logoutIds.size).toBe(rounds.length * USERS_A_ROUND);
    expect(findings.deliveries).toBe(load.expected.length);
  } finally {
    await stage.strike();
  }
}
