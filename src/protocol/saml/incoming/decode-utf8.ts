import { SamlMessageRefused } from '../saml-message-refused.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Without a byte order mark. @throws SamlMessageRefused `forbidden_xml` when the bytes are not UTF-8, as those of UTF-16 are not. @see SLOX-17 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new SamlMessageRefused('forbidden_xml', 'SLOX-17', 'the message is not UTF-8');
  }
}
