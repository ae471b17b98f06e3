const SEEN_LIMIT = 100;
const SECRET_NAME = /secret|token|passw|passphrase|authorization|api_?key|credential|cookie|private|pkcs12|^pem$/i;
const PRIVATE_JWK_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);
const SECRET_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY|"(?:d|p|q|dp|dq|qi|k)"\s*:|^ey[A-Za-z0-9_-]{8,}\.|exk_[A-Za-z0-9-]+_/;
const REDACTED = '[redacted]';

/** Whether the value at this path may hold a secret: by the name of any member on the way, or as a private member of a JWK. */
export function isSecretPath(path: readonly PropertyKey[]): boolean {
  const names = path.map(String);
  if (names.some((name) => SECRET_NAME.test(name))) return true;
  const last = names.at(-1);
  return last !== undefined && names.length > 1 && PRIVATE_JWK_MEMBERS.has(last);
}

/** What may be shown of a value that was seen: never a secret, never more than 100 characters; objects as their JSON. */
export function showSeen(value: unknown, path: readonly PropertyKey[] = []): unknown {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number')
    return isSecretPath(path) && value ? REDACTED : value;
  if (isSecretPath(path)) return REDACTED;
  if (typeof value === 'string') return SECRET_TEXT.test(value) ? REDACTED : shorten(value);
  try {
    return shorten(JSON.stringify(value, redactMember) ?? `[${typeof value}]`);
  } catch {
    return Array.isArray(value) ? '[array]' : '[object]';
  }
}

function redactMember(this: unknown, name: string, value: unknown): unknown {
  if (name === '') return value;
  const holder = this as Record<string, unknown>;
  if (SECRET_NAME.test(name)) return REDACTED;
  if (PRIVATE_JWK_MEMBERS.has(name) && 'kty' in holder) return REDACTED;
  if (typeof value === 'string') return SECRET_TEXT.test(value) ? REDACTED : shorten(value);
  return value;
}

function shorten(text: string): string {
  return text.length <= SEEN_LIMIT ? text : `${text.slice(0, SEEN_LIMIT - 1)}…`;
}
