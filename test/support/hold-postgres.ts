/**
 * A process that owns an embedded PostgreSQL and does nothing else, for tests that kill it. Prints `ready {json}`;
 * stops on SIGTERM and SIGINT. Arguments: the data folder, and `fsync=off` where durability is not what is tested.
 */
import { startEmbeddedPostgres } from '../../src/platform/database/embedded/index.js';

const [dataDir, fsync] = process.argv.slice(2);
if (!dataDir) throw new Error('usage: hold-postgres.ts DATA-DIR [fsync=off]');

const say = (level: string) => (message: string) => process.stderr.write(`${level} ${message}\n`);
const log = { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
const abort = new AbortController();
let asked = false;
const ask = () => {
  asked = true;
  abort.abort();
};
process.on('SIGTERM', ask).on('SIGINT', ask);
// A way out that stops nothing.
process.on('SIGUSR2', () => process.exit(3));

try {
  const server = await startEmbeddedPostgres({ dataDir, log, fsync: fsync !== 'fsync=off', signal: abort.signal });
  process.stdout.write(`ready ${JSON.stringify({ url: server.url, port: server.port, pid: server.pid })}\n`);
  if (!asked) await new Promise((resolve) => abort.signal.addEventListener('abort', resolve));
  await server.stop();
  process.stdout.write('stopped\n');
} catch (error) {
  process.stderr.write(`refused ${(error as Error).message}\n`);
  process.exitCode = asked ? 0 : 1;
}
