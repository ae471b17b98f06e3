import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const FILE = 'postgres.port';

/** The port of the last start, if it is still free; else any free one. Kept so that a bookmarked `psql` line goes on working. */
export async function choosePort(dataDir: string): Promise<number> {
  const file = join(dataDir, FILE);
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (Number.isInteger(last) && last > 0 && last < 65_536 && (await tryPort(last)) !== undefined) return last;
  return (await tryPort(0)) ?? 0;
}

/** Remembers it for the next start. */
export function rememberPort(dataDir: string, port: number): void {
  writeFileSync(join(dataDir, FILE), `${port}\n`);
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}
