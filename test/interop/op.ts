import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

/** What the OP says: an event that it reported and what Exeunt answered, or the fate of a logout token of its own. */
export interface Said {
  event?: { type: string; sp?: string; handles: { sid?: string; sub?: string } };
  result?: { status: string; sessionId?: string; logoutId?: string };
  told?: string;
  notTold?: string;
  error?: string;
}

export interface OpClient {
  client_id: string;
  client_secret: string;
  redirect_uris: string[];
  id_token_signed_response_alg?: string;
  backchannel_logout_uri?: string;
  backchannel_logout_session_required?: boolean;
  jwks_uri?: string;
  id_token_encrypted_response_alg?: string;
  id_token_encrypted_response_enc?: string;
}

export interface OpSettings {
  port: number;
  keys: JWK[];
  clients: OpClient[];
  /** Where it reports its sessions; without, it does its own back-channel logout. */
  exeunt?: { idp: string; baseUrl: string; apiKey: string; mergedJwksUrl?: string };
}

export interface Op {
  issuer: string;
  said: Said[];
  stop(): Promise<void>;
}

export const issuerAt = (port: number) => `http://127.0.0.1:${port}`;
export const secret = () => randomBytes(24).toString('base64url');

/** A key pair as an OP has them in its configuration. */
export async function opKey(kid: string, alg: 'RS256' | 'ES256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' };
}

export function publicHalf({ kty, n, e, crv, x, y, kid, alg, use }: JWK): JWK {
  return Object.fromEntries(Object.entries({ kty, n, e, crv, x, y, kid, alg, use }).filter(([, value]) => value !== undefined));
}

export async function startOp({ port, keys, clients, exeunt }: OpSettings): Promise<Op> {
  const issuer = issuerAt(port);
  const child = fork(join(process.cwd(), 'test/interop/op-program.mjs'), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: { PATH: process.env.PATH },
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'exit');
  const said: Said[] = [];
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: Said & { ready?: boolean }) => (message.ready ? resolve() : said.push(message)));
    void ended.then(() => reject(new Error(`the OP ended before it was ready:\n${output}`)));
    child.send({ issuer, port, jwks: { keys }, cookieKeys: [secret()], clients, exeunt });
  });
  return {
    issuer,
    said,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
