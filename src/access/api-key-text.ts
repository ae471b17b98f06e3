import { createHash, randomBytes } from 'node:crypto';

const ID_BYTES = 10;
const SECRET_BYTES = 32;

/** A new key: `exk_<id>_<secret>`, the secret being 256 random bits in base64url. Shown once, kept as a hash. */
export function newApiKeyText(): { id: string; plain: string } {
  const id = randomBytes(ID_BYTES).toString('hex');
  return { id, plain: `exk_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}` };
}

/** SHA-256 of the whole text of a key or token. */
export function hashOfSecret(plain: string): Buffer {
  return createHash('sha256').update(plain, 'utf8').digest();
}
