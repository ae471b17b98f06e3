import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createQueueBackend } from '../../src/platform/queue/index.js';
import { until } from '../support/process.js';
import { Api } from './api.js';
import { ExeuntProcess } from './exeunt-process.js';
import { IDP } from './load.js';
import { freePort } from './ports.js';
import { PostgresServer } from './postgres-server.js';
import { RedisServer } from './redis-server.js';
import { Sink } from './sink-process.js';

export type Backend = 'postgres' | 'redis';

export interface StageOptions {
  backend: Backend;
  sps: number;
  workers: number;
  /** YAML of Exeunt. */
  config: string;
}

/** Everything that takes part, each in a process of its own: databases, SPs, one API and some workers. */
export class Stage {
  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer | null,
    readonly sink: Sink,
    readonly apiProcess: ExeuntProcess,
    readonly workers: readonly ExeuntProcess[],
    readonly api: Api,
    readonly sps: readonly string[],
    private readonly folder: string,
  ) {}

  static async build({ backend, sps, workers, config }: StageOptions): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'exeunt-chaos-config-'));
    const file = join(folder, 'exeunt.yaml');
    writeFileSync(file, config);
    const [postgres, redis, sink] = await Promise.all([
      PostgresServer.start(),
      backend === 'redis' ? RedisServer.start() : null,
      Sink.start(),
    ]);
    const shared = {
      databaseUrl: postgres.url,
      redisUrl: redis?.url,
      masterKey: randomBytes(32).toString('base64'),
      adminToken: randomBytes(24).toString('base64url'),
      config: file,
    };
    const apiProcess = new ExeuntProcess({ ...shared, role: 'api', port: await freePort() });
    const team: ExeuntProcess[] = [];
    for (let n = 0; n < workers; n++) team.push(new ExeuntProcess({ ...shared, role: 'worker', port: await freePort() }));
    const api = new Api(apiProcess.url, shared.adminToken);
    const names = Array.from({ length: sps }, (_, n) => `sp${n}`);
    const stage = new Stage(postgres, redis, sink, apiProcess, team, api, names, folder);
    try {
      await Promise.all(stage.processes.map((process) => process.ready()));
      await stage.register();
    } catch (error) {
      await stage.strike();
      throw error;
    }
    return stage;
  }

  get processes(): ExeuntProcess[] {
    return [this.apiProcess, ...this.workers];
  }

  /** One row set of the database, asked again while the database is away. */
  async rows<Row>(text: string, params: readonly unknown[] = []): Promise<Row[]> {
    for (let tries = 1; ; tries++) {
      const client = new pg.Client({ connectionString: this.postgres.url });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query(text, [...params])).rows as Row[];
      } catch (error) {
        if (tries >= 20) throw error;
      } finally {
        await client.end().catch(() => undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  async openLogouts(): Promise<number> {
    const [row] = await this.rows<{ n: number }>('SELECT count(*)::int AS n FROM logouts WHERE completed_at IS NULL');
    return row!.n;
  }

  /** Waits until every logout is final. */
  async drained(withinMs: number): Promise<void> {
    let open = -1;
    await until(
      async () => {
        open = await this.openLogouts();
        if (open > 0) await new Promise((resolve) => setTimeout(resolve, 200));
        return open === 0;
      },
      'every logout is final',
      withinMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; ${open} are open`);
    });
  }

  /** Waits until the queue holds no job, but for so many that a killed worker had in hand. @returns what it holds when the time is over. */
  async queueEmpties(withinMs: number, activeAtMost: number): Promise<[string, number][]> {
    const settings = { redisPrefix: 'exeunt', databaseUrl: this.postgres.url, postgresSchema: 'bullmq', poolSize: 2 };
    const backend = createQueueBackend({ ...settings, ...(this.redis ? { redisUrl: this.redis.url } : {}) }, () => undefined);
    const queue = backend.createQueue('fan-out');
    let held: [string, number][] = [];
    try {
      await until(
        async () => {
          const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized', 'waiting-children');
          held = Object.entries(counts).filter(([state, n]) => n > (state === 'active' ? activeAtMost : 0));
          if (held.length > 0) await new Promise((resolve) => setTimeout(resolve, 200));
          return held.length === 0;
        },
        'the queue is empty',
        withinMs,
      ).catch(() => undefined);
      return held;
    } finally {
      await queue.close();
      await backend.close();
    }
  }

  async strike(): Promise<void> {
    this.api.leave();
    await Promise.all(this.processes.map((process) => process.end('SIGKILL')));
    await this.sink.stop();
    await this.redis?.remove();
    await this.postgres.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The first SP is a gateway, so that a layer waits for another one in every logout. */
  private async register(): Promise<void> {
    await this.api.call('POST', '/v1/identity-providers', { id: IDP, name: IDP, oidc: { issuer: 'https://op.chaos.example' } });
    for (const [n, id] of this.sps.entries()) {
      const channel = { type: 'oidc-backchannel', clientId: id, uri: this.sink.uriOf(id), signingAlg: 'ES256' };
      await this.api.call('POST', '/v1/service-providers', {
        id,
        name: id,
        idp: IDP,
        layer: n === 0 ? 'gateway' : 'sp',
        channels: [channel],
      });
    }
  }
}
