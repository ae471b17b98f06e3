import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

let writes = 0;

/**
 * A session store on disk for express-openid-connect: the sessions, and the logouts it has been told of, are still there
 * when the application starts again.
 */
export class FileSessionStore {
  #dir;

  /** @param {string} dir */
  constructor(dir) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  async get(id) {
    const entry = await readFile(this.#file(id), 'utf8').then(JSON.parse, ignoreMissing);
    return entry === undefined || entry.cookie.expires < Date.now() ? undefined : entry;
  }

  async set(id, entry) {
    // Renamed into place, so that a stop in the middle leaves the old entry or the new one, never half of one.
    const unfinished = join(this.#dir, `${process.pid}-${++writes}.tmp`);
    await writeFile(unfinished, JSON.stringify(entry), { mode: 0o600 });
    await rename(unfinished, this.#file(id));
  }

  async destroy(id) {
    await rm(this.#file(id), { force: true });
  }

  /** @returns {Promise<number>} how many entries are users' sessions (others are remembered logouts) */
  async countSessions() {
    const names = (await readdir(this.#dir)).filter((name) => name.endsWith('.json'));
    const entries = await Promise.all(names.map((name) => readFile(join(this.#dir, name), 'utf8').then(JSON.parse, ignoreMissing)));
    return entries.filter((entry) => entry?.data?.id_token !== undefined).length;
  }

  #file(id) {
    return join(this.#dir, `${createHash('sha256').update(id).digest('hex')}.json`);
  }
}

function ignoreMissing(error) {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
