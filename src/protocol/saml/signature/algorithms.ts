/** Exclusive canonical XML without comments: the one canonical form. @see SLO-83 */
export const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
export const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

/** What a signature algorithm demands of the key and does with it. */
export interface SignatureScheme {
  keyType: 'rsa' | 'ec';
  hash: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** RSASSA-PSS, with a salt as long as the hash. */
  pss?: true;
}

/** By exact URI; what is not here does not exist: no HMAC, no DSA, no MD5. @see SLO-83, SLO-84 */
const SIGNATURES: Readonly<Record<string, SignatureScheme>> = {
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256': { keyType: 'rsa', hash: 'sha256' },
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha384': { keyType: 'rsa', hash: 'sha384' },
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512': { keyType: 'rsa', hash: 'sha512' },
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256': { keyType: 'ec', hash: 'sha256' },
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384': { keyType: 'ec', hash: 'sha384' },
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512': { keyType: 'ec', hash: 'sha512' },
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1': { keyType: 'rsa', hash: 'sha256', pss: true },
};
const DIGESTS: Readonly<Record<string, SignatureScheme['hash']>> = {
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512': 'sha512',
  'http://www.w3.org/2001/04/xmldsig-more#sha384': 'sha384',
};

/** For a legacy peer, and for that one alone. @see SLO-84 */
const LEGACY_SIGNATURES: typeof SIGNATURES = { 'http://www.w3.org/2000/09/xmldsig#rsa-sha1': { keyType: 'rsa', hash: 'sha1' } };
const LEGACY_DIGESTS: typeof DIGESTS = { 'http://www.w3.org/2000/09/xmldsig#sha1': 'sha1' };

/** @see SLO-83, SLO-84 */
export function allowedSignatures(allowSha1: boolean): typeof SIGNATURES {
  return allowSha1 ? { ...SIGNATURES, ...LEGACY_SIGNATURES } : SIGNATURES;
}

/** @see SLO-83, SLO-84 */
export function allowedDigests(allowSha1: boolean): typeof DIGESTS {
  return allowSha1 ? { ...DIGESTS, ...LEGACY_DIGESTS } : DIGESTS;
}
