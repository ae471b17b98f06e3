/**
 * Writes the documents of this folder anew:
 * `node --import ./test/support/typescript-loader.mjs test/conformance/saml/attacks/generate.ts`, in the root of the checkout.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ManifestEntry } from './load-corpus.js';
import { makeAttacks, makeOriginals } from './make-corpus.js';
import { FOLDER, WORLD } from './world.js';

const documents = join(FOLDER, 'documents');
rmSync(documents, { recursive: true, force: true });
mkdirSync(documents);
const EXTENSIONS = { query: 'query', envelope: 'soap.xml', form: 'form', xml: 'xml' } as const;
const manifest: ManifestEntry[] = [...makeOriginals(WORLD), ...makeAttacks(WORLD)].map(({ text, ...entry }) => {
  const file = `${entry.name}.${EXTENSIONS[entry.wire]}`;
  writeFileSync(join(documents, file), text, { flag: 'wx' });
  return { ...entry, file };
});
writeFileSync(join(FOLDER, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`${manifest.length} documents`);
