import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiKeys, ensureAdminToken } from '#access';
import { Dispatcher } from '#dispatch';
import { ensureAttemptPartitions } from '#ledger';
import { Maintenance } from '#ops';
import { configSchema } from '#platform/config';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { createHttpApp } from '#platform/http';
import { MasterKey } from '#platform/keys';
import { createLogger, Metrics } from '#platform/telemetry';
import { AppModule } from '../../src/app.module.js';
import { freshDatabase } from './postgres.js';

export const ADMIN_TOKEN = 'admin-token-of-the-tests';

/** An answer of the service: its status, headers and JSON. */
export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

/** The whole service in this process, on a database and a port of its own. */
export interface Service {
  url: string;
  app: NestFastifyApplication;
  database: Database;
  config: Config;
  /** As the administrator, or with another token, or (null) without any. */
  call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    options?: { token?: string | null; headers?: Record<string, string> },
  ): Promise<Answer<Body>>;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  dispatch?: Partial<Config['dispatch']>;
  saml?: Partial<Config['saml']>;
  browser?: Partial<Config['browser']>;
  redisUrl?: string;
  role?: Config['role'];
  /** Default: the address that it listens on. */
  publicUrl?: string;
  /** Takes the lines of the log, which is silent otherwise. */
  log?: (line: string) => void;
}

/** Fast enough for a test, and in everything else as it ships. */
const QUICK: Partial<Config['dispatch']> = { retryDelaysMs: [50, 100, 200, 400], retryJitter: 0, sweepIntervalMs: 200, breakerOpenMs: 500 };

export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const fresh = await freshDatabase();
  const config = configSchema.parse({
    role: options.role ?? 'all',
    server: { port: 0, publicUrl: options.publicUrl },
    queue: { ...(options.redisUrl === undefined ? {} : { redisUrl: options.redisUrl }), redisPrefix: `t${process.pid}-${Date.now()}` },
    egress: { allowPrivateNetworks: ['127.0.0.0/8'] },
    dispatch: { ...QUICK, ...options.dispatch },
    saml: options.saml ?? {},
    browser: options.browser ?? {},
    log: { level: options.log === undefined ? 'silent' : 'trace' },
  });
  const logger = createLogger({ ...config.log, ...(options.log === undefined ? {} : { stream: { write: options.log } }) });
  const metrics = new Metrics({ processMetrics: false });
  const masterKey = MasterKey.fromText(MasterKey.generateText());
  const app = await createHttpApp(AppModule.forRole(config.role, { config, databaseUrl: fresh.url, masterKey, logger, metrics }), {
    config,
    logger,
    metrics,
  });
  const database = app.get(Database, { strict: false });
  await ensureAttemptPartitions(database, new Date());
  await ensureAdminToken(app.get(ApiKeys, { strict: false }), ADMIN_TOKEN);
  const dispatcher = config.role === 'api' ? null : app.get(Dispatcher, { strict: false });
  dispatcher?.start();
  if (dispatcher) app.get(Maintenance, { strict: false }).start();
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    url,
    app,
    database,
    config,
    call: async (method, path, body, { token = ADMIN_TOKEN, headers = {} } = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') ?? false;
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
    stop: async () => {
      await dispatcher?.stop();
      await app.close();
      await fresh.drop();
    },
  };
}

/** Waits for a condition, by asking again and again; fails with what was seen last. */
export async function eventually<Seen>(read: () => Promise<Seen>, holds: (seen: Seen) => boolean, limitMs = 15_000): Promise<Seen> {
  const end = Date.now() + limitMs;
  for (;;) {
    const seen = await read();
    if (holds(seen)) return seen;
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms; seen last: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
