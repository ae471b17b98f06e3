import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair } from 'jose';
import { makeCertificate } from './certificate.mjs';
import { RP_NAMES, SAML_SP_NAME } from './options.mjs';
import { idpMetadata } from './saml-metadata.mjs';

const OP_PROGRAM = fileURLToPath(new URL('op.mjs', import.meta.url));
const RP_PROGRAM = fileURLToPath(new URL('rp.mjs', import.meta.url));
const SAML_SP_PROGRAM = fileURLToPath(new URL('saml-sp.mjs', import.meta.url));

/** What Exeunt calls the OP as the one who reports, */
export const IDP = 'demo-op';
/** and as one that is told. */
export const OP_AS_SP = 'op';

/**
 * The OP and the applications, before they are started: who they are and where they will be.
 * @param {{ opPort: number, rpPorts: number[], samlPort: number, dataDir: string }} settings
 */
export async function castOf({ opPort, rpPorts, samlPort, dataDir }) {
  const issuer = `http://127.0.0.1:${opPort}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const signingKey = { ...(await exportJWK(privateKey)), kid: 'op-1', alg: 'RS256', use: 'sig' };
  const saml = { entityId: `${issuer}/saml`, ssoUrl: `${issuer}/saml/sso`, ...makeCertificate('Demo IdP') };
  const op = { issuer, port: opPort, signingKey, saml };
  const rps = RP_NAMES.map((name, i) => ({
    kind: 'oidc',
    product: 'express-openid-connect',
    name,
    issuer,
    port: rpPorts[i],
    baseUrl: `http://127.0.0.1:${rpPorts[i]}`,
    clientId: name,
    clientSecret: secret(),
    secret: secret(),
    sessionDir: join(dataDir, `${name}-sessions`),
  }));
  const baseUrl = `http://127.0.0.1:${samlPort}`;
  const samlSp = {
    kind: 'saml',
    product: 'node-saml',
    name: SAML_SP_NAME,
    port: samlPort,
    baseUrl,
    entityId: `${baseUrl}/saml/metadata`,
    ...makeCertificate(SAML_SP_NAME),
    sessionDir: join(dataDir, `${SAML_SP_NAME}-sessions`),
  };
  return { op, rps, samlSp, applications: [...rps, samlSp] };
}

/** Makes the OP known to Exeunt, with both its sides, and as one that is told. @returns {Promise<string>} its API key */
export async function registerOp(exeunt, { op }) {
  const idp = await exeunt.post('/v1/identity-providers', {
    id: IDP,
    name: 'Demo OP',
    // Its own keys, given here: its jwks_uri will show the merged set, which Exeunt must not merge with itself.
    oidc: { issuer: op.issuer, jwks: { keys: [publicPart(op.signingKey)] } },
    saml: { metadataXml: idpMetadata(op.saml) },
  });
  await exeunt.post('/v1/service-providers', {
    id: OP_AS_SP,
    name: 'Demo OP, its own sessions',
    idp: IDP,
    // Told before the applications are: else they could send the user to the OP and get them back signed in.
    layer: 'gateway',
    channels: [{ type: 'oidc-backchannel', clientId: OP_AS_SP, uri: `${op.issuer}/session/ended`, sessionRequired: true }],
  });
  return idp.apiKey;
}

/** @param {(event: object, result: object) => void} onEvent is told of each event that the OP posted, and what Exeunt answered */
export function startOp(children, { op, rps, samlSp }, exeunt, apiKey, onEvent) {
  const settings = {
    issuer: op.issuer,
    port: op.port,
    jwks: { keys: [op.signingKey] },
    cookieKeys: [secret()],
    clients: rps.map(({ clientId, clientSecret, baseUrl }) => ({ clientId, clientSecret, baseUrl })),
    saml: { ...op.saml, sps: [{ id: samlSp.name, entityId: samlSp.entityId, acsUrl: `${samlSp.baseUrl}/saml/acs` }] },
    idp: IDP,
    ownSp: OP_AS_SP,
    exeunt: { baseUrl: exeunt.baseUrl, apiKey, mergedJwksUrl: `${exeunt.baseUrl}/idps/${IDP}/jwks.json` },
  };
  return children.startProgram('op', OP_PROGRAM, settings, ({ event, result }) => onEvent(event, result));
}

/** Starts an application, for the first time or again. */
export async function startApplication(children, application, exeunt) {
  if (application.kind === 'oidc') return children.startProgram(application.name, RP_PROGRAM, application);
  const idpMetadataUrl = `${exeunt.baseUrl}/idps/${IDP}/saml/metadata`;
  return children.startProgram(application.name, SAML_SP_PROGRAM, { ...application, idpMetadataUrl });
}

/** Makes an application known to Exeunt: one of OIDC by its client_id and address, one of SAML, which must run, by its metadata. */
export async function registerApplication(exeunt, application) {
  await exeunt.post('/v1/service-providers', {
    id: application.name,
    name: application.name,
    idp: IDP,
    layer: 'sp',
    channels: [application.kind === 'oidc' ? oidcChannel(application) : await samlChannel(application)],
  });
}

function oidcChannel({ clientId, baseUrl }) {
  return { type: 'oidc-backchannel', clientId, uri: `${baseUrl}/backchannel-logout`, sessionRequired: true };
}

async function samlChannel({ entityId }) {
  const response = await fetch(entityId, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${entityId} answers ${response.status}`);
  return { type: 'saml', metadataXml: await response.text() };
}

function publicPart({ kty, n, e, kid, alg, use }) {
  return { kty, n, e, kid, alg, use };
}

function secret() {
  return randomBytes(32).toString('base64url');
}
