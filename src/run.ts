import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiKeys, ensureAdminToken } from '#access';
import { Dispatcher } from '#dispatch';
import { ExeuntError, isExeuntError, messageOf, systemClock } from '#domain';
import { ensureAttemptPartitions } from '#ledger';
import { Maintenance, Readiness } from '#ops';
import { loadConfig } from '#platform/config';
import type { Config } from '#platform/config';
import { createDataSource, Database, migrate, startEmbeddedPostgres } from '#platform/database';
import type { EmbeddedPostgres } from '#platform/database';
import { createHttpApp } from '#platform/http';
import { loadOrCreateMasterKey, MasterKey } from '#platform/keys';
import { createLogger, Metrics } from '#platform/telemetry';
import type { Logger } from '#platform/telemetry';
import { AppModule } from './app.module.js';

/** What a stop may take beyond the draining of the worker before we go anyway; what is not done then is done by others, or after the next start. */
const STOP_SLACK_MS = 15_000;

/**
 * Is Exeunt, until it is told to stop: the given role, on the configured database or the embedded one.
 * @param command `migrate` brings the schema up to date and ends; nothing serves.
 */
export async function runExeunt(command: string | undefined): Promise<void> {
  const stop = new Stop();
  try {
    if (command !== undefined && command !== 'migrate') {
      throw new ExeuntError('configuration', `There is no command "${command}"; there is "migrate", and none at all serves`);
    }
    const config = loadConfig();
    const logger = createLogger(config.log);
    stop.listen(logger, config.dispatch.drainSeconds * 1_000 + STOP_SLACK_MS);
    const databaseUrl = await findDatabase(config, logger, stop);
    await bringUpToDate(config, databaseUrl);
    if (command === 'migrate') {
      logger.info('the schema is up to date');
      return await stop.now(0);
    }
    await serve(config, databaseUrl, logger, stop);
  } catch (error) {
    if (!stop.asked) console.error(describe(error));
    await stop.now(1);
  }
}

/** The configured database, or else the embedded one, which only a process that is everything may own. */
async function findDatabase(config: Config, logger: Logger, stop: Stop): Promise<string> {
  if (config.database.url !== undefined) return config.database.url;
  if (config.role !== 'all') {
    throw new ExeuntError('configuration', `The role "${config.role}" needs a database that it shares with the others`, [
      { field: 'DATABASE_URL', rule: 'must be set, unless EXEUNT_ROLE is "all"' },
    ]);
  }
  const embedded: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir: resolve(config.dataDir), log: logger, signal: stop.signal });
  stop.last(() => embedded.stop());
  return embedded.url;
}

async function bringUpToDate(config: Config, databaseUrl: string): Promise<void> {
  const dataSource = createDataSource({ ...config.database, url: databaseUrl, poolSize: 2 });
  await dataSource.initialize();
  try {
    await migrate(dataSource, databaseUrl, config.queue.postgresSchema);
    await ensureAttemptPartitions(new Database(dataSource), systemClock.now());
  } finally {
    await dataSource.destroy();
  }
}

async function serve(config: Config, databaseUrl: string, logger: Logger, stop: Stop): Promise<void> {
  const masterKey = await findMasterKey(config);
  const metrics = new Metrics();
  const app = await createHttpApp(AppModule.forRole(config.role, { config, databaseUrl, masterKey, logger, metrics }), {
    config,
    logger,
    metrics,
    version: await readVersion(),
  });
  const dispatcher = config.role === 'api' ? null : app.get(Dispatcher, { strict: false });
  stop.first(async () => {
    app.get(Readiness, { strict: false }).stopping = true;
    await dispatcher?.stop();
    await app.close();
  });
  // A worker is called by nobody, and need not know the token of those that are.
  const token = config.role === 'worker' ? null : await ensureAdminToken(app.get(ApiKeys, { strict: false }), config.auth.adminToken);
  if (dispatcher) {
    dispatcher.start();
    app.get(Maintenance, { strict: false }).start();
  }
  await app.listen(config.server.port, config.server.host);
  greet(await addressOf(app, config), config, token, logger);
}

/** The version that package.json says: one folder above the built file, as above this one. */
async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** On the embedded database the key lies beside it; on a database of the operator's, so does the key. */
async function findMasterKey(config: Config): Promise<MasterKey> {
  if (config.auth.masterKey !== undefined) return MasterKey.fromText(config.auth.masterKey);
  if (config.database.url === undefined) return loadOrCreateMasterKey(resolve(config.dataDir));
  throw new ExeuntError('configuration', 'With a database of your own, the key that seals the logout keys must be yours too', [
    { field: 'EXEUNT_MASTER_KEY', rule: 'must be set: 32 random bytes in base64, e.g. from "openssl rand -base64 32"' },
  ]);
}

async function addressOf(app: NestFastifyApplication, config: Config): Promise<string> {
  return config.server.publicUrl?.replace(/\/$/, '') ?? (await app.getUrl());
}

/** For the person who started it; the token is shown here once and nowhere else. */
function greet(url: string, config: Config, token: string | null, logger: Logger): void {
  logger.info({ url, role: config.role, pid: process.pid }, 'ready');
  const lines = [`Exeunt is ready: ${url}`, `API documentation: ${url}/docs`];
  if (token !== null) lines.push(`Admin token, shown this once: ${token}`);
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
}

function describe(error: unknown): string {
  if (!isExeuntError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const faults = error.faults.map(
    ({ field, seen, rule }) => `  ${field}: ${rule}${seen === undefined ? '' : ` (seen: ${JSON.stringify(seen)})`}`,
  );
  return [error.message, ...faults].join('\n');
}

/** Stops in order, once, on the first signal; a second one does not wait. */
class Stop {
  asked = false;
  private readonly controller = new AbortController();
  private readonly steps: (() => Promise<void>)[] = [];
  private stopping: Promise<never> | null = null;
  private logger: Logger | null = null;
  private limitMs = STOP_SLACK_MS;

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  listen(logger: Logger, limitMs: number): void {
    this.logger = logger;
    this.limitMs = limitMs;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (this.asked) process.exit(1);
        this.asked = true;
        logger.info({ signal }, 'stopping');
        void this.now(0);
      });
    }
  }

  /** Runs before what was given earlier. */
  first(step: () => Promise<void>): void {
    this.steps.unshift(step);
  }

  /** Runs after everything else. */
  last(step: () => Promise<void>): void {
    this.steps.push(step);
  }

  now(code: number): Promise<never> {
    this.asked = true;
    this.stopping ??= this.run(code);
    return this.stopping;
  }

  private async run(code: number): Promise<never> {
    this.controller.abort();
    setTimeout(() => process.exit(1), this.limitMs).unref();
    for (const step of this.steps) {
      await step().catch((error: unknown) => {
        code = 1;
        this.logger?.error({ error: messageOf(error) }, 'a part did not stop as it should');
      });
    }
    this.logger?.info('stopped');
    process.exit(code);
  }
}
