import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { messageOf } from '#domain';
import { readCertificate } from './certificate-facts.js';
import type { CertificateFacts } from './certificate-facts.js';
import { asInvalid } from './key-refused.js';
import type { Bundle } from './read-pem-bundle.js';

const FIELD = '/pkcs12';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Key derivation runs in JavaScript, and nothing else does meanwhile: about a second for so many. OpenSSL writes 2,048, Java 10,000. */
const MOST_ITERATIONS = 100_000;
/** Key and certificate are those that the file holds under these types. */
const { pkcs8ShroudedKeyBag, keyBag, certBag } = forge.pki.oids as Record<string, string>;
const { Type, Class } = forge.asn1;

/**
 * Reads a PKCS#12 file, of today (PBES2 with AES) and of old (3DES, RC2).
 * @param password may be empty.
 * @throws ExeuntError `validation`: not such a file, a wrong password (said so), or without a private key
 */
export function readPkcs12(base64: string, password: string): Bundle {
  const text = base64.replace(/\s+/g, '');
  if (!BASE64.test(text)) throw asInvalid(FIELD, 'must be a PKCS#12 file (.p12, .pfx) in base64');
  const safes = open(Buffer.from(text, 'base64').toString('latin1'), password);
  const keys = bagsOf(safes, [pkcs8ShroudedKeyBag!, keyBag!]);
  if (keys.length !== 1) throw asInvalid(FIELD, `must hold one private key, this holds ${keys.length}`);
  return { privateKey: keyOf(keys[0]!), certificates: bagsOf(safes, [certBag!]).map(certificateOf) };
}

// The messages of the library are looked at, but not passed on: they may quote what they could not read.
function open(der: string, password: string): forge.pkcs12.Pkcs12Pfx {
  const asn1 = parse(der);
  if (!asn1) throw asInvalid(FIELD, 'must be a PKCS#12 file (.p12, .pfx) in base64');
  const iterations = mostIterations(asn1, 0);
  if (iterations > MOST_ITERATIONS) {
    throw asInvalid(
      FIELD,
      `must have at most ${MOST_ITERATIONS} iterations of key derivation, this has ${iterations}; write it anew (\`openssl pkcs12 -export -iter 10000\`)`,
    );
  }
  try {
    return forge.pkcs12.pkcs12FromAsn1(asn1, false, password);
  } catch (error) {
    if (/password|MAC could not be verified|Failed to decrypt/i.test(messageOf(error))) {
      throw asInvalid(
        '/password',
        password === '' ? 'is wanted: the file does not open without one' : 'is wrong: the file does not open with it',
      );
    }
    throw asInvalid(
      FIELD,
      'cannot be read: its MAC must be HMAC with SHA-1 or SHA-2, its encryption AES, 3DES or RC2, its content an X.509 certificate and a private key, its password ASCII; write it anew (`openssl pkcs12 -export`)',
    );
  }
}

function parse(der: string): forge.asn1.Asn1 | null {
  try {
    return forge.asn1.fromDer(der, { strict: false, decodeBitStrings: false } as never);
  } catch {
    return null;
  }
}

/** An OCTET STRING with an INTEGER behind it is a salt with its iterations, in MacData as in the parameters of encryption. */
function mostIterations(node: forge.asn1.Asn1, depth: number): number {
  if (depth > 20) return 0;
  if (!Array.isArray(node.value)) {
    const inner = node.tagClass === Class.UNIVERSAL && node.type === Type.OCTETSTRING ? parse(node.value) : null;
    return inner && Array.isArray(inner.value) ? mostIterations(inner, depth + 1) : 0;
  }
  const parts = node.value;
  const own = parts.map((part, at) =>
    isType(part, Type.OCTETSTRING) && isType(parts[at + 1], Type.INTEGER) ? integerOf(parts[at + 1]!) : 0,
  );
  return Math.max(0, ...own, ...parts.map((part) => mostIterations(part, depth + 1)));
}

function isType(node: forge.asn1.Asn1 | undefined, type: forge.asn1.Type): boolean {
  return node?.tagClass === Class.UNIVERSAL && node.type === type && typeof node.value === 'string';
}

function integerOf(node: forge.asn1.Asn1): number {
  return Number(`0x${Buffer.from(node.value as string, 'latin1').toString('hex') || '0'}`);
}

function bagsOf(pfx: forge.pkcs12.Pkcs12Pfx, types: readonly string[]): forge.pkcs12.Bag[] {
  return pfx.safeContents.flatMap((safe) => safe.safeBags).filter((bag) => types.includes(bag.type));
}

/** RSA keys come parsed, all others as the PKCS#8 that they are. */
function keyOf(bag: forge.pkcs12.Bag): KeyObject {
  try {
    const asn1 = bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
    return createPrivateKey({ key: bytesOf(asn1), format: 'der', type: 'pkcs8' });
  } catch {
    throw asInvalid(FIELD, 'must hold an RSA or EC private key');
  }
}

function certificateOf(bag: forge.pkcs12.Bag): CertificateFacts {
  try {
    return readCertificate(bytesOf(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1));
  } catch {
    throw asInvalid(FIELD, 'has a certificate that cannot be read');
  }
}

function bytesOf(asn1: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}
