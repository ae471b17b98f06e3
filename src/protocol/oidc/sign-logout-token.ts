import { KeyObject, constants, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { CryptoKey } from 'jose';
import { ExeuntError } from '#domain';
import { LOGOUT_TOKEN_TYPE, type LogoutTokenAlg, type LogoutTokenClaims } from './logout-token-terms.js';

/** The key that signs for one issuer with one algorithm; its public half stands in the issuer's JWKS under `kid`. @see BCL-23 */
export interface LogoutSigningKey {
  kid: string;
  alg: LogoutTokenAlg;
  privateKey: CryptoKey;
}

type NodeSigningKey = Parameters<typeof sign>[2];
interface PreparedKey {
  kid: string;
  alg: LogoutTokenAlg;
  encodedHeader: string;
  signBytes: (bytes: Buffer) => Buffer | Promise<Buffer>;
}

const signOnThreadPool = promisify<string, Buffer, NodeSigningKey, Buffer>(sign);

// One signature an attempt makes this the hottest path of a mass logout. Node's own `sign` takes half the processor time of WebCrypto here
// (ES256: 30 against 60 microseconds); RSA takes ten times as long, so that it must not run on the event loop.
const prepared = new WeakMap<CryptoKey, PreparedKey>();

/**
 * A logout token as a compact JWS with `typ` logout+jwt.
 * @throws ExeuntError `configuration` when the key cannot sign with its algorithm: our own fault, not the peer's.
 * @see BCL-21, BCL-22, BCL-23, RFC 7515 section 7.1
 */
export async function signLogoutToken(claims: LogoutTokenClaims, key: LogoutSigningKey): Promise<string> {
  const { encodedHeader, signBytes } = prepare(key);
  const signingInput = `${encodedHeader}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = await signBytes(Buffer.from(signingInput));
  return `${signingInput}.${signature.toString('base64url')}`;
}

function prepare(key: LogoutSigningKey): PreparedKey {
  const known = prepared.get(key.privateKey);
  if (known?.kid === key.kid && known.alg === key.alg) return known;
  const header = { alg: key.alg, kid: key.kid, typ: LOGOUT_TOKEN_TYPE };
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url');
  const fresh = { kid: key.kid, alg: key.alg, encodedHeader, signBytes: signerOf(key) };
  prepared.set(key.privateKey, fresh);
  return fresh;
}

/** @see RFC 7518 section 3, RFC 8037 section 3.1 */
function signerOf(key: LogoutSigningKey): PreparedKey['signBytes'] {
  const privateKey = KeyObject.from(key.privateKey);
  const kind = privateKey.asymmetricKeyDetails?.namedCurve ?? privateKey.asymmetricKeyType;
  const wants = (expected: string) => {
    if (privateKey.type === 'private' && kind === expected) return;
    throw new ExeuntError(
      'configuration',
      `logout key ${key.kid} is a ${privateKey.type} ${kind} key; ${key.alg} needs a private ${expected} key`,
    );
  };
  switch (key.alg) {
    case 'ES256': {
      wants('prime256v1');
      const options = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
      return (bytes) => sign('sha256', bytes, options);
    }
    case 'EdDSA':
      wants('ed25519');
      return (bytes) => sign(null, bytes, privateKey);
    case 'RS256':
      wants('rsa');
      return (bytes) => signOnThreadPool('sha256', bytes, privateKey);
    case 'PS256': {
      wants('rsa');
      const options = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      return (bytes) => signOnThreadPool('sha256', bytes, options);
    }
  }
}
