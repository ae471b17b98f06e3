import { SignJWT, decodeProtectedHeader, generateKeyPair, jwtVerify } from 'jose';
import { buildLogoutTokenClaims } from './build-logout-token-claims.js';
import type { LogoutTokenAlg } from './logout-token-terms.js';
import { signLogoutToken } from './sign-logout-token.js';

const claims = buildLogoutTokenClaims({
  issuer: 'https://op.example.com',
  clientId: 'client-1',
  sid: 's',
  sub: 'zoë',
  now: new Date(),
  jti: 'j',
});
const ALGS: LogoutTokenAlg[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

describe('signLogoutToken', () => {
  it.each(ALGS)('BCL-21, BCL-22, BCL-23 signs with %s what jose verifies, typ logout+jwt', async (alg) => {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    for (let round = 0; round < 20; round += 1) {
      const token = await signLogoutToken(claims, { kid: 'k', alg, privateKey });
      const { payload, protectedHeader } = await jwtVerify(token, publicKey, { algorithms: [alg] });
      expect(payload).toEqual(claims);
      expect(protectedHeader).toEqual({ alg, kid: 'k', typ: 'logout+jwt' });
    }
  });

  it.each(['RS256', 'EdDSA'] as const)('gives the very bytes that jose gives for %s, whose signatures are not random', async (alg) => {
    const { privateKey } = await generateKeyPair(alg);
    const reference = await new SignJWT({ ...claims }).setProtectedHeader({ alg, kid: 'k', typ: 'logout+jwt' }).sign(privateKey);
    await expect(signLogoutToken(claims, { kid: 'k', alg, privateKey })).resolves.toBe(reference);
  });

  it('names the kid it is given now, also for a key it has seen under another', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    for (const kid of ['one', 'two', 'one']) {
      expect(decodeProtectedHeader(await signLogoutToken(claims, { kid, alg: 'ES256', privateKey })).kid).toBe(kid);
    }
  });

  it.each([
    ['ES256', 'RS256', 'prime256v1'],
    ['ES384', 'ES256', 'secp384r1'],
    ['EdDSA', 'ES256', 'ed25519'],
    ['RS256', 'EdDSA', 'rsa'],
    ['ES256', 'PS256', 'prime256v1'],
  ] as const)('BCL-23 refuses a key made for %s when it is to sign %s, and says which', async (made, alg, kind) => {
    const { privateKey } = await generateKeyPair(made);
    await expect(signLogoutToken(claims, { kid: 'odd', alg, privateKey })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(`logout key odd is a private ${kind} key`) as string,
    });
  });

  it('BCL-23 refuses a public key', async () => {
    const { publicKey } = await generateKeyPair('ES256');
    const signed = signLogoutToken(claims, { kid: 'k', alg: 'ES256', privateKey: publicKey });
    await expect(signed).rejects.toMatchObject({ code: 'configuration' });
  });
});
