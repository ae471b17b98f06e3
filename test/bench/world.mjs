import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { chmodSync, mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Children, freePort } from './children.mjs';
import { Exeunt } from './exeunt.mjs';
import { median, nowMs } from './statistics.mjs';

/** So many requests are under way at a time in every contestant; it is also Exeunt's limit of sockets to one origin. */
export const CONCURRENCY = 32;
/** So many service providers there are; a user has sessions at some of them. */
export const SERVICE_PROVIDERS = 200;
export const IDP = 'bench';

/** Everything that runs on the machine for a bench: one sink, the two rivals, one PostgreSQL, one Redis, and one Exeunt a backend. */
export class World {
  #children = new Children();
  #postgres;
  notes = [];
  exeunts = [];

  constructor(options, say) {
    this.options = options;
    this.say = say;
  }

  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'exeunt-bench-'));
    chmodSync(this.folder, 0o711);
    this.sink = this.#children.answering('sink.mjs');
    this.origins = await this.sink.call('start');
    this.bare = this.#children.answering('bare-loop.mjs');
    await this.bare.call('start', CONCURRENCY);
    if (this.options.only.has('throughput')) {
      this.provider = this.#children.answering('provider-loop.mjs');
      await this.provider.call('start', this.origins.prompt, SERVICE_PROVIDERS);
    }
    if (this.options.only.has('saml')) this.samlPeer = this.#children.answering('saml-peer.mjs');
    await this.#startPostgres();
    for (const backend of this.options.backends) {
      const redisUrl = backend === 'redis' ? await this.#startRedis() : undefined;
      if (backend === 'redis' && redisUrl === undefined) continue;
      this.exeunts.push(await this.#startExeunt(backend, redisUrl));
    }
  }

  /** The Exeunt on the default backend, or the one there is. */
  get first() {
    return this.exeunts[0];
  }

  databaseUrl(name) {
    const url = new URL(this.#postgres.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Nothing leaves earlier than what it stands on. */
  async stop() {
    for (const exeunt of this.exeunts) await exeunt.stop();
    await this.#children.endAll();
    await this.#postgres?.stop();
    if (this.folder === undefined) return;
    if (this.options.keep) this.say(`Exeunt's logs are in ${this.folder}`);
    else rmSync(this.folder, { recursive: true, force: true });
  }

  /** All processes that a delivery of this backend keeps busy, the sink among them. */
  processesOf(exeunt) {
    const redis = exeunt.backend === 'redis' ? [{ pid: this.redisPid }] : [];
    return [...exeunt.pids.map((pid) => ({ pid })), { pid: this.#postgres.pid, withChildren: true }, ...redis, { pid: this.sink.pid }];
  }

  machine() {
    return {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      node: process.version,
      postgres: this.postgresVersion,
      fsyncMs: this.#fsyncMs(),
    };
  }

  async #startPostgres() {
    // Only here: before `prepare` there may be no dist/ to import from.
    const { startEmbeddedPostgres } = await import('#platform/database');
    const quiet = {
      debug() {},
      info() {},
      warn: (message) => this.notes.push(`postgres: ${message}`),
      error: (message) => this.notes.push(`postgres: ${message}`),
    };
    this.#postgres = await startEmbeddedPostgres({ dataDir: join(this.folder, 'data'), log: quiet });
    const owner = new pg.Client({ connectionString: this.#postgres.url });
    await owner.connect();
    for (const backend of this.options.backends) await owner.query(`CREATE DATABASE bench_${backend}`);
    const { rows } = await owner.query(
      `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`,
    );
    await owner.end();
    if (rows[0].fsync !== 'on' || rows[0].commit !== 'on')
      throw new Error('a bench of durable deliveries needs fsync and synchronous_commit on');
    this.postgresVersion = rows[0].version;
  }

  /** @returns its URL, or undefined where there is no Redis on this machine: said aloud, never left out in silence. */
  async #startRedis() {
    if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) {
      this.notes.push('NOT MEASURED: the Redis backend, for there is no redis-server on this machine');
      return undefined;
    }
    const port = await freePort();
    const folder = join(this.folder, 'redis');
    mkdirSync(folder);
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    const { child, died } = this.#children.command('redis-server', 'redis-server', args, { stdio: 'ignore' });
    this.redisPid = child.pid;
    await Promise.race([died, answers(port)]);
    return `redis://127.0.0.1:${port}`;
  }

  async #startExeunt(backend, redisUrl) {
    const exeunt = new Exeunt(backend);
    const databaseUrl = this.databaseUrl(`bench_${backend}`);
    const isWatched = this.options.only.has('saml');
    await exeunt.start({ children: this.#children, folder: this.folder, roles: this.options.roles, databaseUrl, redisUrl, isWatched });
    const sps = Array.from({ length: SERVICE_PROVIDERS }, (_, sp) => ({ id: `client-${sp}`, uri: `${this.origins.prompt}/sp/${sp}` }));
    await exeunt.register(IDP, sps);
    return exeunt;
  }

  /** How long the disk takes to make a small write durable: what a commit costs at least. */
  #fsyncMs() {
    const file = openSync(join(this.folder, 'fsync'), 'w');
    const times = Array.from({ length: 50 }, () => {
      const begin = nowMs();
      writeSync(file, 'x'.repeat(512));
      fsyncSync(file);
      return nowMs() - begin;
    });
    closeSync(file);
    return Number(median(times).toFixed(3));
  }
}

/** Users with a session at `fanOut` service providers each, spread evenly over all of them. */
export function usersAt(prefix, count, fanOut) {
  return Array.from({ length: count }, (_, user) => ({
    sid: `${prefix}-${user}`,
    sps: Array.from({ length: fanOut }, (_, i) => `client-${(user * fanOut + i) % SERVICE_PROVIDERS}`),
  }));
}

async function answers(port) {
  for (const until = nowMs() + 15_000; nowMs() < until; await delay(25)) {
    const open = await new Promise((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => (socket.destroy(), resolve(true)));
      socket.once('error', () => resolve(false));
    });
    if (open) return;
  }
  throw new Error(`redis-server does not answer on port ${port}`);
}
