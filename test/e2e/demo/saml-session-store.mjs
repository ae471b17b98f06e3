import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The sessions of the SAML application, on disk: they outlive a restart, and a LogoutRequest finds them by NameID and SessionIndex. */
export class SamlSessionStore {
  #dir;
  #file;
  #sessions;

  /** @param {string} dir */
  constructor(dir) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#dir = dir;
    this.#file = join(dir, 'sessions.json');
    this.#sessions = new Map(readEntries(this.#file));
  }

  /** @returns {string} the id for the cookie */
  begin(profile) {
    const id = randomBytes(24).toString('base64url');
    this.#sessions.set(id, profile);
    this.#write();
    return id;
  }

  get(id) {
    return this.#sessions.get(id);
  }

  end(id) {
    if (this.#sessions.delete(id)) this.#write();
  }

  /** Ends what a LogoutRequest names; without a SessionIndex all sessions of the person. */
  endNamed({ nameID, sessionIndex }) {
    for (const [id, profile] of this.#sessions) {
      const meant = profile.nameID === nameID && (sessionIndex === undefined || profile.sessionIndex === sessionIndex);
      if (meant) this.#sessions.delete(id);
    }
    this.#write();
  }

  async countSessions() {
    return readEntries(this.#file).length;
  }

  #write() {
    // Renamed into place, so that a stop in the middle leaves the old file or the new one, never half of one.
    const unfinished = join(this.#dir, 'sessions.tmp');
    writeFileSync(unfinished, JSON.stringify([...this.#sessions]), { mode: 0o600 });
    renameSync(unfinished, this.#file);
  }
}

function readEntries(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
