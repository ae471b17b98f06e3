import { createLocalJWKSet, type CryptoKey, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from 'jose';
import type { IdentityProvider, OidcIdentity } from '#registry';
import type { LogoutTokenEnding } from './ports.js';
import { ReceiveBackchannelLogout } from './receive-backchannel-logout.js';

const now = new Date('2026-03-04T05:06:07Z');
const at = now.getTime() / 1000;
const oidc: OidcIdentity = { issuer: 'https://op.example.com', audience: 'us', signingAlg: 'ES256', allowMissingExp: false };
const idp: IdentityProvider = { id: 'op', name: 'op', oidc, saml: null, createdAt: now, updatedAt: now };

let privateKey: CryptoKey;
let jwks: Parameters<typeof createLocalJWKSet>[0];
let given: Parameters<LogoutTokenEnding['end']>[0][];

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  privateKey = pair.privateKey;
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k' }] };
});
beforeEach(() => {
  given = [];
});

interface Parts {
  find?: () => Promise<IdentityProvider | null>;
  end?: 'ended' | 'nothing-to-end' | 'replayed' | Error;
  keys?: () => JWTVerifyGetKey;
}

async function receive({ find = () => Promise.resolve(idp), end = 'ended', keys = () => createLocalJWKSet(jwks) }: Parts = {}) {
  const receiver = new ReceiveBackchannelLogout(
    { find },
    { resolverFor: keys },
    { decryptionKey: () => Promise.resolve(null) },
    { end: (input) => (given.push(input), end instanceof Error ? Promise.reject(end) : Promise.resolve(end)) },
    { now: () => now },
  );
  const token = await new SignJWT({
    iss: oidc.issuer,
    aud: 'us',
    iat: at,
    exp: at + 120,
    jti: 'j',
    sid: 's',
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(privateKey);
  return receiver.receive('op', { method: 'POST', contentType: 'application/x-www-form-urlencoded', body: { logout_token: token } });
}

describe('ReceiveBackchannelLogout', () => {
  it('BCL-42, BCL-45 hands on what the token names, and until when its jti counts', async () => {
    await expect(receive()).resolves.toEqual({ status: 200, ended: true });
    expect(given).toEqual([{ idpId: 'op', sid: 's', sub: undefined, jti: 'j', forgetAt: new Date((at + 180) * 1000) }]);
  });

  it('BCL-43 answers 200 when there is nothing to end', async () => {
    await expect(receive({ end: 'nothing-to-end' })).resolves.toEqual({ status: 200, ended: false });
  });

  it('BCL-42 answers 400 to a copy', async () => {
    await expect(receive({ end: 'replayed' })).resolves.toMatchObject({
      status: 400,
      error: 'invalid_request',
      refusal: { code: 'replayed' },
    });
  });

  it.each<[string, Parts]>([
    ['the ending fails', { end: new Error('database password=secret') }],
    ['the registry fails', { find: () => Promise.reject(new Error('database password=secret')) }],
  ])('BCL-49 answers 400 when %s, and keeps the reason for the log', async (_, broken) => {
    await expect(receive(broken)).resolves.toEqual({
      status: 400,
      error: 'server_error',
      description: 'the logout could not be done',
      fault: new Error('database password=secret'),
    });
  });

  it('BCL-34, BCL-49 answers 400 when the keys of the issuer cannot be had', async () => {
    const keys = () => () => Promise.reject(new Error('ECONNREFUSED'));
    await expect(receive({ keys })).resolves.toMatchObject({ status: 400, refusal: { code: 'keys_unavailable' } });
    expect(given).toEqual([]);
  });

  it.each([
    ['an unknown identity provider', null],
    ['one without an OIDC side', { ...idp, oidc: null }],
    ['one without an audience', { ...idp, oidc: { ...oidc, audience: undefined } }],
  ])('BCL-36 answers %s with the same 400', async (_, found) => {
    await expect(receive({ find: () => Promise.resolve(found) })).resolves.toMatchObject({
      status: 400,
      error: 'invalid_request',
      description: 'no issuer of logout tokens is registered at this path',
      refusal: { code: 'not_registered' },
    });
    expect(given).toEqual([]);
  });
});
