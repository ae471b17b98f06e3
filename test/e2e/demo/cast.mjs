import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair } from 'jose';
import { RP_NAMES } from './options.mjs';

const OP_PROGRAM = fileURLToPath(new URL('op.mjs', import.meta.url));
const RP_PROGRAM = fileURLToPath(new URL('rp.mjs', import.meta.url));

/** What Exeunt calls the OP. */
export const IDP = 'demo-op';

/**
 * The OP and the applications, before they are started: who they are and where they will be.
 * @param {{ opPort: number, rpPorts: number[], dataDir: string }} settings
 */
export async function castOf({ opPort, rpPorts, dataDir }) {
  const issuer = `http://127.0.0.1:${opPort}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const signingKey = { ...(await exportJWK(privateKey)), kid: 'op-1', alg: 'RS256', use: 'sig' };
  const op = { issuer, port: opPort, signingKey };
  const rps = RP_NAMES.map((name, i) => ({
    name,
    issuer,
    port: rpPorts[i],
    baseUrl: `http://127.0.0.1:${rpPorts[i]}`,
    clientId: name,
    clientSecret: secret(),
    secret: secret(),
    sessionDir: join(dataDir, `${name}-sessions`),
  }));
  return { op, rps };
}

/** Makes the OP and its applications known to Exeunt. @returns {Promise<string>} the API key of the OP */
export async function register(exeunt, { op, rps }) {
  const idp = await exeunt.post('/v1/identity-providers', {
    id: IDP,
    name: 'Demo OP',
    // Its own keys, given here: its jwks_uri will show the merged set, which Exeunt must not merge with itself.
    oidc: { issuer: op.issuer, jwks: { keys: [publicPart(op.signingKey)] } },
  });
  for (const rp of rps) {
    await exeunt.post('/v1/service-providers', {
      id: rp.name,
      name: rp.name,
      idp: IDP,
      layer: 'sp',
      channels: [{ type: 'oidc-backchannel', clientId: rp.clientId, uri: `${rp.baseUrl}/backchannel-logout`, sessionRequired: true }],
    });
  }
  return idp.apiKey;
}

/** @param {(event: object, result: object) => void} onEvent is told of each event that the OP posted, and what Exeunt answered */
export function startOp(children, { op, rps }, exeunt, apiKey, onEvent) {
  const settings = {
    issuer: op.issuer,
    port: op.port,
    jwks: { keys: [op.signingKey] },
    cookieKeys: [secret()],
    clients: rps.map(({ clientId, clientSecret, baseUrl }) => ({ clientId, clientSecret, baseUrl })),
    idp: IDP,
    exeunt: { baseUrl: exeunt.baseUrl, apiKey, mergedJwksUrl: `${exeunt.baseUrl}/idps/${IDP}/jwks.json` },
  };
  return children.startProgram('op', OP_PROGRAM, settings, ({ event, result }) => onEvent(event, result));
}

export function startRp(children, rp) {
  return children.startProgram(rp.name, RP_PROGRAM, rp);
}

function publicPart({ kty, n, e, kid, alg, use }) {
  return { kty, n, e, kid, alg, use };
}

function secret() {
  return randomBytes(32).toString('base64url');
}
