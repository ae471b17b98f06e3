import { compactDecrypt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import { encryptLogoutToken } from './encrypt-logout-token.js';
import type { NestedEncryption } from './logout-token-terms.js';

const KEY_MANAGEMENT: NestedEncryption['alg'][] = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'];
const CONTENT: NestedEncryption['enc'][] = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'];
const jws = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln';
const issuer = 'https://op.example.com';

describe('encryptLogoutToken', () => {
  it.each(KEY_MANAGEMENT.flatMap((alg) => CONTENT.map((enc) => [alg, enc] as const)))(
    'BCL-24 nests with %s and %s, says so in cty, and repeats iss in the header',
    async (alg, enc) => {
      const { publicKey, privateKey } = await generateKeyPair(alg);
      const publicJwk = { ...(await exportJWK(publicKey)), kid: 'enc-1' };
      const token = await encryptLogoutToken(jws, { alg, enc, publicJwk, issuer });
      const { plaintext, protectedHeader } = await compactDecrypt(token, privateKey);
      expect(Buffer.from(plaintext).toString()).toBe(jws);
      expect(protectedHeader).toMatchObject({ alg, enc, cty: 'JWT', iss: issuer, kid: 'enc-1' });
    },
  );

  it('BCL-24 names no kid when the client named none', async () => {
    const { publicKey } = await generateKeyPair('ECDH-ES');
    const token = await encryptLogoutToken(jws, { alg: 'ECDH-ES', enc: 'A128GCM', publicJwk: await exportJWK(publicKey), issuer });
    expect(decodeProtectedHeader(token)).not.toHaveProperty('kid');
  });

  it('fails for a key that does not suit the algorithm', async () => {
    const { publicKey } = await generateKeyPair('ECDH-ES');
    const publicJwk = await exportJWK(publicKey);
    await expect(encryptLogoutToken(jws, { alg: 'RSA-OAEP', enc: 'A128GCM', publicJwk, issuer })).rejects.toThrow();
  });
});
