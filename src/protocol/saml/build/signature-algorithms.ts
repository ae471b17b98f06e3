import { sign } from 'node:crypto';
import { ExeuntError } from '#domain';
import type { SamlSignatureAlgorithm, SamlSigner } from '../types.js';

/** @see SLO-83 */
export const SIGNATURE_URI: Readonly<Record<SamlSignatureAlgorithm, string>> = {
  'rsa-sha256': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'ecdsa-sha256': 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
};

const KEY_TYPE: Readonly<Record<SamlSignatureAlgorithm, string>> = { 'rsa-sha256': 'rsa', 'ecdsa-sha256': 'ec' };

/**
 * The value of a signature, base64. XML wants r and s of ECDSA one behind the other, not as DER.
 * @throws ExeuntError `configuration` when the key does not suit the algorithm: our own fault.
 * @see RFC 4050 section 3.3
 */
export function signOctets(octets: string, { privateKey, algorithm }: SamlSigner): string {
  const { type, asymmetricKeyType } = privateKey;
  if (type !== 'private' || asymmetricKeyType !== KEY_TYPE[algorithm]) {
    throw new ExeuntError(
      'configuration',
      `a SAML signing key is a ${type} ${asymmetricKeyType} key; ${algorithm} needs a private ${KEY_TYPE[algorithm]} key`,
    );
  }
  return sign('sha256', Buffer.from(octets), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64');
}
