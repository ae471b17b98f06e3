import 'reflect-metadata';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { JWK } from 'jose';
import { AccessModule, ApiKeys, ensureAdminToken } from '#access';
import { PlatformModule } from '#platform/module';
import { configSchema } from '#platform/config';
import type { Config } from '#platform/config';
import { Database } from '#platform/database';
import { createHttpApp } from '#platform/http';
import { MasterKey } from '#platform/keys';
import { createLogger, Metrics } from '#platform/telemetry';
import { RegistryModule } from '#registry';
import { RegistryApiModule } from '../../src/ops/registry/index.js';
import { freshDatabase } from '../support/postgres.js';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // Tests look into whatever came back.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  json: any;
}

export interface CallOptions {
  token?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

/** The registry's API as it is, on a real database, over real HTTP. */
export interface RegistryApp {
  url: string;
  admin: string;
  app: NestFastifyApplication;
  database: Database;
  /** Calls as the administrator unless told otherwise. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Everything that left the process: response bodies and log lines. */
  emitted: string[];
  /** Secret members of all private keys in the database, and the API keys given out. */
  privateValues(): Promise<string[]>;
  close(): Promise<void>;
}

export async function startRegistryApp(settings: Record<string, unknown> = {}): Promise<RegistryApp> {
  const fresh = await freshDatabase();
  const config: Config = configSchema.parse({ egress: { allowPrivateNetworks: ['127.0.0.0/8'] }, ...settings });
  const emitted: string[] = [];
  const logger = createLogger({ level: 'trace', stream: { write: (line: string) => void emitted.push(line) } });
  const masterKey = MasterKey.fromText(MasterKey.generateText());

  @Module({
    imports: [
      PlatformModule.forRoot({ config, databaseUrl: fresh.url, masterKey, logger, metrics: new Metrics({ processMetrics: false }) }),
      RegistryModule,
      AccessModule,
      RegistryApiModule,
    ],
  })
  class Root {}

  const app = await createHttpApp(Root, { config, logger });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const database = app.get(Database);
  const admin = (await ensureAdminToken(app.get(ApiKeys), config.auth.adminToken)) ?? config.auth.adminToken!;
  return {
    url,
    admin,
    app,
    database,
    emitted,
    async call(method, path, { token = admin, body, headers = {} } = {}) {
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
      emitted.push(text, JSON.stringify(Object.fromEntries(response.headers)));
      const isJson = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
    },
    async privateValues() {
      const rows = await database.query<{ idp_id: string; kid: string; private_sealed: Buffer }>(
        'SELECT idp_id, kid, private_sealed FROM logout_keys',
      );
      return rows.flatMap((row) => {
        const jwk = JSON.parse(masterKey.open(row.private_sealed, `logout key ${row.kid} of ${row.idp_id}`).toString()) as JWK;
        return [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].filter((value) => value !== undefined);
      });
    },
    async close() {
      await app.close();
      await fresh.drop();
    },
  };
}

/** A server on loopback that answers what it is told, and counts. */
export interface Peer {
  url: string;
  requests: string[];
  answer(path: string, body: unknown, status?: number): void;
  close(): Promise<void>;
}

export async function startPeer(): Promise<Peer> {
  const answers = new Map<string, { status: number; body: unknown }>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url!);
    const found = answers.get(request.url!) ?? { status: 404, body: {} };
    response.writeHead(found.status, { 'content-type': 'application/json' }).end(JSON.stringify(found.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (path, body, status = 200) => void answers.set(path, { status, body }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

let counter = 0;
/** A registration that is right, to be made wrong. */
export function idpBody(changes: Record<string, unknown> = {}, oidc: Record<string, unknown> = {}) {
  const id = `idp-${++counter}`;
  return {
    id,
    name: `Provider ${counter}`,
    oidc: { issuer: `https://${id}.example.com`, jwks: { keys: [RSA_PUBLIC] }, ...oidc },
    ...changes,
  };
}

export function spBody(idp: string, changes: Record<string, unknown> = {}, channel: Record<string, unknown> = {}) {
  const id = `sp-${++counter}`;
  return {
    id,
    name: `Application ${counter}`,
    idp,
    layer: 'sp',
    channels: [{ type: 'oidc-backchannel', clientId: `client-${counter}`, uri: 'http://127.0.0.1:9/backchannel?keep=1&a', ...channel }],
    ...changes,
  };
}

/** The public half of a 2048-bit key. @see RFC 7515 appendix A.2 */
export const RSA_PUBLIC = {
  kty: 'RSA',
  kid: 'upstream-1',
  use: 'sig',
  alg: 'RS256',
  n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
  e: 'AQAB',
};
