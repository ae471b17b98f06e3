/**
 * Lets plain Node run our TypeScript where Jest is not there to do it (`node --import`): processes that tests start.
 * `#name` is the folder's index in src, `./x.js` is x.ts, as in the Jest configuration.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SELF = import.meta.url;
const SRC = new URL('../../src/', SELF);

export async function resolve(specifier, context, next) {
  if (specifier.startsWith('#')) return next(new URL(`${specifier.slice(1)}/index.ts`, SRC).href, context);
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(fileURLToPath(url))) return next(url.href, context);
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const { transform } = await import('@swc/core');
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}

// Loaded a second time, on the hooks' own thread, by the call below; each thread of a program has hooks of its own.
const HOOKS = '?hooks';
if (!SELF.endsWith(HOOKS)) register(`${SELF}${HOOKS}`, pathToFileURL('./'));
