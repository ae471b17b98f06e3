import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { inspect } from 'node:util';
import { ExeuntError } from '#domain';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
const SHORTEST_PASSPHRASE = 20;
const ENCODED_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;
/** Fixed, so that every process gets the same key from the same passphrase. It keeps tables made for other programs from fitting. */
const PASSPHRASE_SALT = 'exeunt master key v1';
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/**
 * The key under which private keys lie in the database: AES-256-GCM, a fresh random nonce each time, and the name of the thing as
 * additional data, so that what is sealed in one row cannot be put into another.
 */
export class MasterKey {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /**
   * @param text 32 bytes in base64 or base64url, or a passphrase of at least 20 characters.
   * @throws ExeuntError `configuration`; the text is never in the message.
   */
  static fromText(text: string): MasterKey {
    const trimmed = text.trim();
    if (ENCODED_KEY.test(trimmed)) {
      const key = Buffer.from(trimmed, 'base64');
      if (key.length === KEY_BYTES) return new MasterKey(key);
    }
    if (trimmed.length < SHORTEST_PASSPHRASE) {
      throw new ExeuntError(
        'configuration',
        `EXEUNT_MASTER_KEY has ${trimmed.length} characters; wanted: 32 random bytes in base64 (\`openssl rand -base64 32\`), or a passphrase of at least ${SHORTEST_PASSPHRASE} characters`,
      );
    }
    return new MasterKey(scryptSync(trimmed.normalize('NFKC'), PASSPHRASE_SALT, KEY_BYTES, SCRYPT));
  }

  /** A new random key, as text for {@link MasterKey.fromText}. */
  static generateText(): string {
    return randomBytes(KEY_BYTES).toString('base64');
  }

  /** Encrypts. `context` names what it is; only the same context opens it. */
  seal(plain: Buffer, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(additionalData(context));
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]);
  }

  /** Decrypts. @throws ExeuntError `configuration` when it was sealed with another key, for another context, or was changed. */
  open(sealed: Buffer, context: string): Buffer {
    if (sealed.length < HEADER_BYTES || sealed[0] !== VERSION) {
      throw new ExeuntError('configuration', `What is stored as ${context} is not in the form this version seals`);
    }
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(additionalData(context));
    decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEADER_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new ExeuntError(
        'configuration',
        `EXEUNT_MASTER_KEY does not open what is stored as ${context}: it was sealed with another key, or changed`,
        [],
        {
          cause,
        },
      );
    }
  }

  toJSON(): string {
    return '[MasterKey]';
  }

  [inspect.custom](): string {
    return '[MasterKey]';
  }
}

function additionalData(context: string): Buffer {
  return Buffer.concat([Buffer.of(VERSION), Buffer.from(context, 'utf8')]);
}
