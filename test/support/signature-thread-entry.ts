import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = process.cwd();
const loader = join(root, 'test/support/typescript-loader.mjs');

/** In the place of src/registry/metadata/signature-thread-entry.ts: Jest has its own ways with TypeScript, a thread has not. */
export const ENTRY = {
  url: pathToFileURL(join(root, 'src/registry/metadata/signature-thread-program.ts')),
  execArgv: ['--import', pathToFileURL(loader).href],
};
