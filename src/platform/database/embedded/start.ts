import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ExeuntError } from '#domain';
import { chooseAccount } from './account.js';
import { prepareBinaries } from './binaries.js';
import { DATABASE, ROLE, checkOwner, ensureCluster, hasCluster, readPassword } from './cluster.js';
import { lockFolder } from './lock.js';
import type { EmbeddedLog } from './log.js';
import { endOrphan } from './orphan.js';
import { choosePlace, createDataDir, readPlace, rememberPlace } from './place.js';
import { choosePort, rememberPort } from './port.js';
import { Server } from './server.js';
import type { ServerRequest } from './server.js';

export interface EmbeddedPostgresOptions {
  /** Created when missing; the cluster is `<dataDir>/postgres`. */
  dataDir: string;
  /** A fixed port instead of a free one. */
  port?: number;
  /** `false` gives durability away for speed: for tests only. Default `true`. */
  fsync?: boolean;
  log: EmbeddedLog;
  /** Aborts a start that is under way; what was started is stopped. */
  signal?: AbortSignal;
  /** The server ended though nobody stopped it. Default: says so in the log, and ends this process with 1: it can do nothing without its database. */
  onDeath?: (error: ExeuntError) => void;
}

/** A running PostgreSQL that belongs to this process alone. */
export interface EmbeddedPostgres {
  /** With its password: not for logs. */
  url: string;
  port: number;
  /** Pid of the postmaster. */
  pid: number;
  /** Shuts the server down (clients are cut, everything committed is kept) and gives the folder free. May be called more than once. */
  stop(): Promise<void>;
}

const STARTS = 20;

/**
 * Starts the PostgreSQL that comes with Exeunt, on 127.0.0.1, for this process alone. Data, password and port are kept
 * in `dataDir` and found again by the next start, also after this process, or the machine, was killed. Installs no
 * signal handlers: who calls it stops it.
 * @throws ExeuntError `conflict` while another process uses the folder (pid and folder named);
 *   `configuration` when it cannot run here; `unavailable` when the server does not come up.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, signal, fsync = true } = options;
  const dataDir = createDataDir(options.dataDir);
  const account = chooseAccount(join(readPlace(dataDir), 'postgres'), log);
  const place = choosePlace(dataDir, account, log);
  checkOwner(place);
  const lock = lockFolder(place);
  try {
    const password = readPassword(dataDir, hasCluster(place));
    const binaries = prepareBinaries(place, account, log);
    const folder = await ensureCluster({ place, binaries, account, password, fsync, log });
    rememberPlace(dataDir, place);
    await endOrphan(folder, log);
    const server = await startServer({ binaries, account, folder, password, fsync, log }, dataDir, options.port, signal);
    try {
      await ensureDatabase(server);
      signal?.throwIfAborted();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return own(server, lock.release, options, password);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startServer(
  request: Omit<ServerRequest, 'port'>,
  dataDir: string,
  fixed: number | undefined,
  signal?: AbortSignal,
): Promise<Server> {
  for (let starts = 1; ; starts++) {
    const port = fixed ?? (await choosePort(dataDir));
    const server = new Server({ ...request, port });
    let end;
    try {
      end = await server.ready(signal);
    } catch (error) {
      await server.stop();
      throw error;
    }
    if (end === undefined) {
      if (fixed === undefined) rememberPort(dataDir, port);
      request.log.info(`embedded PostgreSQL ${request.binaries.version} listens on 127.0.0.1:${port} (pid ${server.pid})`);
      return server;
    }
    // Backends outlive a killed postmaster for a moment; and a free port may be taken between the look and the use.
    const passes =
      /pre-existing shared memory block|lock file "postmaster.pid"/.test(end.lastWords) ||
      (fixed === undefined && /could not (bind|create any TCP)/.test(end.lastWords));
    if (!passes || starts >= STARTS) {
      const how = end.signal ? `signal ${end.signal}` : end.code === null ? 'not ready' : `status ${end.code}`;
      throw new ExeuntError(
        'unavailable',
        `The embedded PostgreSQL in ${request.folder} did not start (${how}): ${end.lastWords || 'it said nothing'}`,
      );
    }
    await delay(250);
  }
}

async function ensureDatabase(server: Server): Promise<void> {
  const client = new pg.Client(server.connection('postgres'));
  // When the server goes, the query says so; the event alone would end this process without a word from us.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function own(server: Server, release: () => void, options: EmbeddedPostgresOptions, password: string): EmbeddedPostgres {
  let stopped: Promise<void> | undefined;
  const { log, onDeath = (error) => (log.error(error.message), process.exit(1)) } = options;
  void server.ended.then(({ code, signal, lastWords }) => {
    if (stopped) return;
    const how = signal ? `signal ${signal}` : `status ${code}`;
    release();
    onDeath(
      new ExeuntError(
        'unavailable',
        `The embedded PostgreSQL (pid ${server.pid}) ended by itself (${how}): ${lastWords.split('\n').at(-1) ?? ''}`,
      ),
    );
  });
  const { port = 0 } = server.connection(DATABASE);
  return {
    url: `postgresql://${ROLE}:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`,
    port,
    pid: server.pid ?? 0,
    stop: () =>
      (stopped ??= server.stop().then(() => {
        log.info('embedded PostgreSQL stopped');
        release();
      })),
  };
}
