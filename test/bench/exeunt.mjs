import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Pool } from 'undici';
import { freePort } from './children.mjs';
import { atMost, nowMs } from './statistics.mjs';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const WATCH_EVENT_LOOP = new URL('watch-event-loop.mjs', import.meta.url).href;
const START_LIMIT_MS = 60_000;
const COMPLETION_LIMIT_MS = 120_000;
/** Settings of the person's own Exeunt have no place in a bench. */
const OWN_SETTINGS = /^(EXEUNT_.*|PORT|HOST|PUBLIC_URL|DATABASE_URL|REDIS_URL)$/;
/** So often the ledger is asked whether all is final: the clock of a measurement is at most so much late. Milliseconds. */
const LOOK_EVERY_MS = 20;
/** As many as `POST /v1/events` takes. */
export const EVENTS_A_BATCH = 1_000;

/** One Exeunt, as real processes, and all that a bench asks of it over its API. */
export class Exeunt {
  #http;
  #sql;
  #token;
  #batch = 0;
  #api;
  pids = [];

  constructor(backend) {
    this.backend = backend;
  }

  /**
   * @param {{ children: import('./children.mjs').Children, folder: string, roles: 'all' | 'split', databaseUrl: string, redisUrl?: string, isWatched?: boolean }} where
   *   `isWatched`: {@link watch} will be called.
   */
  async start({ children, folder, roles, databaseUrl, redisUrl, isWatched = false }) {
    this.#token = randomBytes(32).toString('base64url');
    const masterKey = randomBytes(32).toString('base64');
    const ports = [];
    for (const role of roles === 'all' ? ['all'] : ['api', 'worker']) {
      const port = await freePort();
      const log = join(folder, `exeunt-${this.backend}-${role}.log`);
      const output = openSync(log, 'a');
      const args = [...execArgs(), ...(isWatched ? ['--import', WATCH_EVENT_LOOP] : []), MAIN];
      const { child, died } = children.command(`exeunt (${role}, ${this.backend})`, process.execPath, args, {
        cwd: folder,
        stdio: ['ignore', output, output, ...(isWatched ? ['ipc'] : [])],
        env: {
          ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_SETTINGS.test(name))),
          HOST: '127.0.0.1',
          PORT: String(port),
          DATABASE_URL: databaseUrl,
          REDIS_URL: redisUrl ?? '',
          EXEUNT_ROLE: role,
          EXEUNT_DATA_DIR: join(folder, 'data'),
          EXEUNT_ADMIN_TOKEN: this.#token,
          EXEUNT_MASTER_KEY: masterKey,
          EXEUNT_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
          // All peers of a bench have one address.
          EXEUNT_SERVER__PROTOCOL_RATE_LIMIT_PER_MINUTE: '1000000',
        },
      });
      closeSync(output);
      await Promise.race([died, isReady(port)]).catch((error) => {
        throw new Error(`${error.message}\n${readFileSync(log, 'utf8').slice(-4_000)}`);
      });
      this.#api ??= child;
      this.pids.push(child.pid);
      ports.push(port);
    }
    this.publicUrl = `http://127.0.0.1:${ports[0]}`;
    this.#http = new Pool(this.publicUrl, { connections: 64 });
    this.#sql = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    this.#sql.on('error', () => {});
  }

  /** The process that sends. */
  get workerPid() {
    return this.pids.at(-1);
  }

  async stop() {
    await this.#http?.close();
    await this.#sql?.end();
  }

  async register(idp, serviceProviders) {
    await this.#call('POST', '/v1/identity-providers', { id: idp, name: idp, oidc: { issuer: `https://${idp}.example`, jwks: anyJwks() } });
    await atMost(
      8,
      serviceProviders.map(({ id, uri }) => async () => {
        const channels = [{ type: 'oidc-backchannel', clientId: id, uri, signingAlg: 'ES256', sessionRequired: true }];
        await this.#call('POST', '/v1/service-providers', { id, name: id, idp, layer: 'sp', channels });
      }),
    );
  }

  /** A SAML IdP with one SP, by their metadata. */
  async registerSaml({ idp, idpMetadata, sp, spMetadata }) {
    await this.#call('POST', '/v1/identity-providers', { id: idp, name: idp, saml: { metadataXml: idpMetadata } });
    const channels = [{ type: 'saml', metadataXml: spMetadata }];
    await this.#call('POST', '/v1/service-providers', { id: sp, name: sp, idp, layer: 'sp', channels });
  }

  /** @returns {Promise<string>} the answer's body */
  async postSoap(path, body) {
    const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: '"http://www.oasis-open.org/committees/security"' };
    const answer = await this.#http.request({ method: 'POST', path, headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`POST ${path}: status ${answer.statusCode}: ${text.slice(0, 1_000)}`);
    return text;
  }

  /** Has the event loop of the process that takes requests watched. @param {'begin' | 'end'} watch @returns at the end, what was seen */
  async watch(watch) {
    const seen = watch === 'end' ? once(this.#api, 'message') : undefined;
    this.#api.send({ watch });
    return seen && (await seen)[0].watched;
  }

  /** Users log in, each at some service providers. @param {{ sid: string, sps: string[], handles?: object }[]} users `handles`: their names at the service providers */
  async logIn(idp, users) {
    await this.#post(loginBatches(idp, users), 4);
  }

  /** The users' logout events, so many a request. Resolves when all are accepted. */
  async logOut(idp, users, aRequest, atOnce) {
    const events = users.map(({ sid }) => ({ id: `out-${sid}`, type: 'session.ended', idp, handles: { sid }, reason: 'user' }));
    const batches = [];
    for (let at = 0; at < events.length; at += aRequest) batches.push(events.slice(at, at + aRequest));
    await this.#post(batches, atOnce);
  }

  /** @throws when an event is not accepted: a bench of failures would be fast. */
  async #post(batches, atOnce) {
    await atMost(
      atOnce,
      batches.map((batch) => async () => {
        const { results } = await this.#call('POST', '/v1/events', { events: batch });
        const wrong = results.find((result) => result.status !== 'accepted');
        if (wrong) throw new Error(`an event was not accepted: ${JSON.stringify(wrong)}`);
      }),
    );
  }

  /**
   * Resolves when no logout is open in the ledger any more. Asked in the order of the index that holds the open ones alone: the question must not cost what it measures.
   * @returns the time at which that was seen
   */
  async settled() {
    for (const until = nowMs() + COMPLETION_LIMIT_MS; ; await delay(LOOK_EVERY_MS)) {
      const { rows } = await this.#sql.query({
        name: 'open',
        text: 'SELECT 1 FROM logouts WHERE completed_at IS NULL ORDER BY sweep_at LIMIT 1',
      });
      const at = nowMs();
      if (rows.length === 0) return at;
      if (at > until) throw new Error(`logouts of exeunt (${this.backend}) are still open after ${COMPLETION_LIMIT_MS / 1_000} s`);
    }
  }

  /** How many deliveries of an IdP are confirmed, and how many are anything else. */
  async outcomes(idp) {
    const text = `SELECT count(*) FILTER (WHERE outcome = 'confirmed')::int AS confirmed, count(*) FILTER (WHERE outcome <> 'confirmed')::int AS other
      FROM deliveries WHERE idp_id = $1`;
    return (await this.#sql.query(text, [idp])).rows[0];
  }

  /**
   * After a warm-up: plans that were made while the tables were empty read all of them for ever. Where Exeunt has run for a minute, autovacuum has done
   * this; here the tables are seconds old.
   */
  async analyze() {
    await this.#sql.query('ANALYZE');
  }

  /** A name that was not used before in this run. */
  fresh(prefix) {
    return `${prefix}${++this.#batch}`;
  }

  async #call(method, path, body) {
    const answer = await this.#http.request({
      method,
      path,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: status ${answer.statusCode}: ${text.slice(0, 1_000)}`);
    return JSON.parse(text);
  }
}

/** The login events of the users, up to 1,000 a batch, those of one user together: a join must not overtake its login. */
function loginBatches(idp, users) {
  const batches = [];
  for (const { sid, sps, handles = {} } of users) {
    const logins = [
      { id: `in-${sid}`, type: 'session.started', idp, handles: { sid, sub: `user-${sid}` } },
      ...sps.map((sp) => ({ id: `in-${sid}-${sp}`, type: 'session.joined', idp, parent: { sid }, sp, handles })),
    ];
    const last = batches.at(-1);
    if (last && last.length + logins.length <= EVENTS_A_BATCH) last.push(...logins);
    else batches.push(logins);
  }
  return batches;
}

/** For profiling: `EXEUNT_BENCH_NODE_ARGS="--cpu-prof"`. */
function execArgs() {
  return (process.env.EXEUNT_BENCH_NODE_ARGS ?? '').split(' ').filter((arg) => arg !== '');
}

async function isReady(port) {
  for (const until = nowMs() + START_LIMIT_MS; ; await delay(50)) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    if (nowMs() > until) throw new Error(`exeunt was not ready within ${START_LIMIT_MS / 1_000} s`);
  }
}

/** The IdP's own keys: nothing is verified with them here, but a registration without keys would look for them. */
function anyJwks() {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'own', use: 'sig', alg: 'ES256' }] };
}
