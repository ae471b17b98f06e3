const REDACTED = '[redacted]';
const DEEPEST = 6;
const LARGEST = 2_000;

/** Names of fields that hold secrets, written small and without `-` and `_`. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'password',
  'passphrase',
  'secret',
  'clientsecret',
  'apikey',
  'xapikey',
  'token',
  'admintoken',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'idtokenhint',
  'logouttoken',
  'bearer',
  'privatekey',
  'privatejwk',
  'privatepem',
  'pem',
  'pkcs12',
  'masterkey',
  'samlrequest',
  'samlresponse',
]);
/** Private parts of a JWK (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1), secret only inside an object that has a `kty`. */
const SECRET_JWK_PARTS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

/** Verdicts on names seen: code has a few hundred, and a line must cost little. A stranger's names must not fill the memory. */
const known = new Map<string, boolean>();
const KNOWN_NAMES = 2_000;

function isSecretName(name: string): boolean {
  const before = known.get(name);
  if (before !== undefined) return before;
  const secret = SECRET_NAMES.has(name.toLowerCase().replace(/[-_]/g, ''));
  if (known.size < KNOWN_NAMES) known.set(name, secret);
  return secret;
}

/**
 * A copy for the log: the values of secret fields are replaced at any depth, errors are reduced to type, code, message, stack, faults and cause
 * (drivers hang the parameters of a statement on theirs). Six levels deep and 2,000 fields at most: a socket logged by mistake is not worth a heap.
 */
export function redact(value: unknown): unknown {
  return isPlain(value) ? value : copyOf(value, 0, { left: LARGEST });
}

/** Flat and without secrets, as the line of an attempt is: needs no copy. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const name in value) {
    const field = (value as Record<string, unknown>)[name];
    if ((typeof field === 'object' && field !== null) || isSecretName(name)) return false;
  }
  // An error has nothing enumerable of its own.
  return !('stack' in value) && !('toJSON' in value);
}

function copyOf(value: unknown, depth: number, budget: { left: number }): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST || budget.left <= 0) return '[cut]';
  const deeper = (part: unknown): unknown => (budget.left-- > 0 ? copyOf(part, depth + 1, budget) : '[cut]');
  if (Array.isArray(value)) return value.slice(0, LARGEST).map(deeper);
  const fields = value as Record<string, unknown>;
  if (typeof fields['stack'] === 'string' && typeof fields['message'] === 'string') return errorOf(fields, deeper);
  if (typeof fields['toJSON'] === 'function') return deeper((fields['toJSON'] as () => unknown)());
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const secret = isSecretName(name) || ('kty' in fields && SECRET_JWK_PARTS.has(name));
    copy[name] = secret && fields[name] !== undefined && fields[name] !== null ? REDACTED : deeper(fields[name]);
  }
  return copy;
}

/** By shape, not by class: errors of Node's own core are of another realm where modules run in a VM. */
function errorOf(error: Record<string, unknown>, deeper: (part: unknown) => unknown): Record<string, unknown> {
  const { name, code, message, stack, cause, faults } = error;
  return { type: name, code, message, stack, faults: deeper(faults), cause: deeper(cause) };
}

/** One look that lets nearly every line pass at once. */
const SUSPICIOUS = /eyJ|:\/\/|PRIVATE KEY|bearer|basic/i;

/** The last net, over the whole line: what looks like a JWT, a bearer or a password in a URL, wherever it was written. */
export function redactLine(line: string): string {
  if (!SUSPICIOUS.test(line)) return line;
  return line
    .replace(/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*){1,3}/g, '[redacted jwt]')
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`)
    .replace(/(\w:\/\/[^\s:/@"\\]*):[^\s/@"\\]+@/g, `$1:${REDACTED}@`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))/g, '[redacted private key]');
}
