import { Foundation1764000000000 } from './1764000000000-foundation.js';
import { RoomForUpdates1764000100000 } from './1764000100000-room-for-updates.js';
import { Saml1764100000000 } from './1764100000000-saml.js';

/** In order. A migration that has landed is never edited. */
export const MIGRATIONS = [Foundation1764000000000, RoomForUpdates1764000100000, Saml1764100000000];
