import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ExeuntApi } from './exeunt-api.mjs';
import { waitUntil } from './wait-until.mjs';

const START = fileURLToPath(new URL('../../../config/tooling/start.mjs', import.meta.url));
const START_LIMIT_MS = 180_000;

/** Settings of the person's own Exeunt have no place in the demo's. */
const OWN_SETTINGS = /^(EXEUNT_.*|PORT|HOST|PUBLIC_URL|DATABASE_URL|REDIS_URL)$/;

/**
 * Exeunt as `npm start` starts it: with its own PostgreSQL, in a data directory of the demo's.
 * @param {{ children: import('./children.mjs').Children, port: number, dataDir: string }} settings
 * @returns {Promise<ExeuntApi>} when it is ready
 */
export async function startExeunt({ children, port, dataDir }) {
  const adminToken = randomBytes(32).toString('base64url');
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN_SETTINGS.test(name)));
  const { died } = children.startCommand('exeunt', process.execPath, [START], {
    ...inherited,
    // As if npm had started it: then it ends itself when the demo was killed and cannot end it.
    npm_lifecycle_event: 'demo',
    HOST: '127.0.0.1',
    PORT: String(port),
    EXEUNT_DATA_DIR: dataDir,
    EXEUNT_ADMIN_TOKEN: adminToken,
    // The applications of the demo are on loopback, which Exeunt otherwise refuses to call.
    EXEUNT_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8,::1/128',
    // With an application down, the page of a logout waits so long for it, and nobody wants to watch that.
    EXEUNT_BROWSER__ANSWER_WITHIN_MS: '3000',
  });
  const api = new ExeuntApi(`http://127.0.0.1:${port}`, adminToken);
  const ready = waitUntil(`Exeunt to be ready at ${api.baseUrl}`, START_LIMIT_MS, async () => ((await api.isReady()) ? true : undefined));
  await Promise.race([ready, died]);
  return api;
}
