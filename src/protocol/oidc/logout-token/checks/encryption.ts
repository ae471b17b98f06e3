import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { messageOf } from '#domain';
import { LogoutRequestRefused } from '../../logout-request-refused.js';
import { quotePeer } from '../../quote-peer.js';
import type { LogoutTokenCheck } from '../expectation.js';

/**
 * Opens the JWE where encryption was agreed, with the algorithms agreed; refuses cleartext then, and a JWE otherwise.
 * An issuer named in its header must be the issuer. @see BCL-33, BCL-24, RFC 7519 section 5.3
 */
export const itIsEncryptedExactlyWhenAgreed: LogoutTokenCheck = async (token, { decryption, issuer }) => {
  const isEncrypted = token.text.split('.', 6).length === 5;
  if (!decryption) {
    if (isEncrypted)
      throw new LogoutRequestRefused('unexpected_encryption', 'BCL-33', 'no encryption was agreed: the token must be a signed JWT');
    return;
  }
  if (!isEncrypted) throw new LogoutRequestRefused('not_encrypted', 'BCL-33', 'the token must be encrypted, as was agreed');
  try {
    const { alg, enc } = decodeProtectedHeader(token.text);
    if (alg !== decryption.alg || enc !== decryption.enc) throw new TypeError(`alg ${String(alg)}, enc ${String(enc)}`);
    const { plaintext, protectedHeader } = await compactDecrypt(token.text, (header) => decryption.privateKey(header), {
      keyManagementAlgorithms: [decryption.alg],
      contentEncryptionAlgorithms: [decryption.enc],
      maxDecompressedLength: 0,
    });
    if (protectedHeader['iss'] !== undefined && protectedHeader['iss'] !== issuer)
      throw new TypeError('iss of the JWE header is another issuer');
    token.text = Buffer.from(plaintext).toString('latin1');
  } catch (error) {
    // One text for all causes: which step of a decryption failed is not a peer's business.
    const description = `the token must be encrypted to our key with ${decryption.alg} and ${decryption.enc}`;
    throw new LogoutRequestRefused('undecryptable', 'BCL-33', description, quotePeer(messageOf(error), 200), { cause: error });
  }
};
