import { compactVerify, errors, type CryptoKey, type JWTVerifyGetKey, type KeyInput } from 'jose';
import { messageOf } from '#domain';
import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { quotePeer } from '../../quote-peer.js';
import type { LogoutTokenCheck, LogoutTokenExpectation, LogoutTokenInHand } from '../expectation.js';
import { parseStrictJsonObject } from '../parse-strict-json.js';

/** A token without `kid` is tried with each key of the issuer that fits, up to so many. */
const KEYS_TRIED = 8;

/**
 * Verifies the signature with a key of the issuer, and opens the claims: the very bytes that were signed.
 * Keys and places of keys that the header carries (`jwk`, `jku`, `x5c`, `x5u`) are not looked at. @see BCL-34
 */
export const theSignatureIsThatOfTheIssuer: LogoutTokenCheck = async (token, expected) => {
  const kid = token.header['kid'];
  if (kid !== undefined && typeof kid !== 'string') throw new LogoutRequestRefused('malformed_token', 'BCL-34', 'kid must be a text');
  const payload = await verifiedPayload(token, expected, kid);
  try {
    token.claims = parseStrictJsonObject(payload);
  } catch (error) {
    throw new LogoutRequestRefused('malformed_token', 'BCL-34', 'the claims of the token must be a JSON object', messageOf(error));
  }
};

async function verifiedPayload(token: LogoutTokenInHand, expected: LogoutTokenExpectation, kid: string | undefined): Promise<Uint8Array> {
  for (const key of await candidates(token, expected, kid)) {
    try {
      return (await compactVerify(token.text, key, { algorithms: [expected.alg] })).payload;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      throw refusal('bad_signature', 'the signature could not be verified', error);
    }
  }
  throw new LogoutRequestRefused('bad_signature', 'BCL-34', 'the signature is not that of a key of the issuer');
}

async function candidates(token: LogoutTokenInHand, expected: LogoutTokenExpectation, kid: string | undefined): Promise<KeyInput[]> {
  const header: Parameters<JWTVerifyGetKey>[0] = { alg: expected.alg };
  if (kid !== undefined) header.kid = kid;
  const [encodedHeader = '', payload = '', signature = ''] = token.text.split('.');
  try {
    return [await expected.keys(header, { protected: encodedHeader, payload, signature })];
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return firstOf(error, KEYS_TRIED);
    if (error instanceof errors.JWKSNoMatchingKey) throw refusal('unknown_key', 'the issuer has no such key', error, kid);
    throw refusal('keys_unavailable', 'the keys of the issuer could not be had', error, kid);
  }
}

async function firstOf(keys: AsyncIterable<CryptoKey>, limit: number): Promise<CryptoKey[]> {
  const first: CryptoKey[] = [];
  for await (const key of keys) if (first.push(key) >= limit) break;
  return first;
}

function refusal(code: 'bad_signature' | 'unknown_key' | 'keys_unavailable', description: string, error: unknown, kid?: string) {
  const detail = `kid ${kid === undefined ? 'missing' : quotePeer(JSON.stringify(kid), 80)}: ${quotePeer(messageOf(error), 200)}`;
  return new LogoutRequestRefused(code, 'BCL-34', description, detail, { cause: error });
}
