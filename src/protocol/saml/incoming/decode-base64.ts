const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Base64 by the letter: padded, no other alphabet, nothing beside it but line breaks and blanks. Node's own decoder passes over whatever it
 * does not know.
 * @returns null when it is none, or nothing.
 * @see SLO-47
 */
export function decodeBase64(text: string): Buffer | null {
  const packed = text.replace(/[ \t\r\n]+/g, '');
  return packed !== '' && BASE64.test(packed) ? Buffer.from(packed, 'base64') : null;
}
