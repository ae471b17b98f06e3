import { randomBytes, randomUUID } from 'node:crypto';

let lastMs = 0;
let sequence = 0;

/**
 * A new time-ordered identifier (UUID version 7): 48 bits of milliseconds, 12 bits that count within the millisecond, 62 random bits.
 * Of two that one process makes the later one is greater, so rows written together lie together and lists keep their order.
 * @param now milliseconds since 1970
 * @see RFC 9562 section 5.7 and 6.2 (method 1)
 */
export function newId(now: number = Date.now()): string {
  // A clock that steps back, or 4,096 in one millisecond, borrows from the time to come.
  sequence = now > lastMs ? 0 : sequence + 1;
  lastMs = Math.max(now, lastMs);
  if (sequence > 0xfff) {
    lastMs++;
    sequence = 0;
  }
  const bytes = randomBytes(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | sequence, 6);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A random identifier that reveals no time (UUID version 4): `jti` of tokens. */
export function newRandomId(): string {
  return randomUUID();
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export function isId(text: string): boolean {
  return UUID.test(text);
}
