import { Foundation1764000000000 } from './1764000000000-foundation.js';

/** In order. A migration that has landed is never edited. */
export const MIGRATIONS = [Foundation1764000000000];
