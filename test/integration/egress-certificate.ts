import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface TestCertificate {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
  name: string;
  privateKey: KeyObject;
}

export interface CertificateWishes {
  commonName: string;
  /** DNS names and IPv4 addresses. */
  altNames?: string[];
  /** Signs; missing: self-signed. */
  issuer?: TestCertificate;
  notBefore?: Date;
  notAfter?: Date;
}

const ECDSA_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const DAY_MS = 86_400_000;

/** A real X.509 certificate (RFC 5280), made on the spot so that no private key lies in the repository. */
export function makeCertificate(wishes: CertificateWishes): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = wishes.issuer ?? { name: wishes.commonName, privateKey };
  const algorithm = sequence(oid(ECDSA_SHA256));
  const isAuthority = wishes.altNames === undefined;
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...Buffer.from(wishes.commonName).subarray(0, 8)])),
    algorithm,
    distinguishedName(signer.name),
    sequence(time(wishes.notBefore ?? new Date(Date.now() - DAY_MS)), time(wishes.notAfter ?? new Date(Date.now() + DAY_MS))),
    distinguishedName(wishes.commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        isAuthority
          ? extension(BASIC_CONSTRAINTS, sequence(der(0x01, Buffer.from([0xff]))))
          : extension(SUBJECT_ALT_NAME, sequence(...(wishes.altNames ?? []).map(altName))),
      ),
    ),
  );
  const signature = createSign('sha256').update(tbs).sign(signer.privateKey);
  const whole = sequence(tbs, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    name: wishes.commonName,
    privateKey,
  };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value));
const distinguishedName = (name: string): Buffer => sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(name)))));
const altName = (name: string): Buffer =>
  isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`));
}
