const SECRET = new Set(['auth.adminToken', 'auth.masterKey']);
const MAY_HOLD_PASSWORD = /\/\/[^/]*@/;
const LIMIT = 120;

/** A value as it may stand in a message: secrets hidden, passwords cut out of URLs, long ones shortened. */
export function shown(key: string, value: unknown): unknown {
  if (SECRET.has(key)) return '(not shown)';
  if (typeof value !== 'string') return value;
  if (key === 'database.url' || key === 'queue.redisUrl' || MAY_HOLD_PASSWORD.test(value)) return withoutPassword(value);
  return value.length > LIMIT ? `${value.slice(0, LIMIT)}...` : value;
}

function withoutPassword(value: string): string {
  // What is no URL may be anything, a password typed into the wrong place included.
  if (!URL.canParse(value)) return '(not shown)';
  const url = new URL(value);
  if (url.host === '') return '(not shown)';
  if (url.password !== '') url.password = '***';
  url.search = '';
  return url.href;
}
