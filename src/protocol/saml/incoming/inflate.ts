import { inflateRawSync } from 'node:zlib';
import { SamlMessageRefused } from '../saml-message-refused.js';
import { MESSAGE_LIMITS } from '../xml/index.js';

/**
 * Raw DEFLATE, the whole input and nothing behind it. Never more than the limit comes out of it, however much is packed in.
 * @throws SamlMessageRefused `too_large`, `malformed`
 * @see SLO-41, SLO-45, SLOX-17
 */
export function inflate(bytes: Buffer): Buffer {
  if (isZlib(bytes)) throw malformed('SAML messages are packed with raw DEFLATE (RFC 1951); this one has the header of zlib');
  // The types know nothing of `info`.
  let inflated: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    inflated = inflateRawSync(bytes, { maxOutputLength: MESSAGE_LIMITS.bytes, info: true }) as unknown as typeof inflated;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new SamlMessageRefused('too_large', 'SLO-45', `the message is larger than ${MESSAGE_LIMITS.bytes} bytes when unpacked`);
    }
    throw malformed('the message is not packed with raw DEFLATE (RFC 1951)');
  }
  if (inflated.engine.bytesWritten !== bytes.length) throw malformed('there is something behind the packed message');
  return inflated.buffer;
}

/** RFC 1950: deflate with a window, and both bytes a multiple of 31. As raw DEFLATE such bytes are a stored block of a wrong length. */
function isZlib(bytes: Buffer): boolean {
  return bytes.length > 2 && (bytes[0]! & 0x8f) === 0x08 && bytes.readUInt16BE(0) % 31 === 0;
}

function malformed(description: string): SamlMessageRefused {
  return new SamlMessageRefused('malformed', 'SLO-41', description);
}
