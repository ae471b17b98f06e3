import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { LineCounter, isAlias, isCollection, isMap, isNode, isScalar, parseDocument } from 'yaml';
import { messageOf } from '#domain';
import type { Layer } from './layers.js';

/** What the YAML file says, each value with its line. `key:` and `key: null` leave the default in force. */
export function readConfigFile(named: string, cwd: string): Layer {
  const path = resolve(cwd, named);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return broken(named, `expected a YAML file that can be read: ${messageOf(error)}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  if (document.errors.length > 0) return broken(named, document.errors.map((error) => error.message.split('\n')[0]).join('; '));
  const layer: Layer = { settings: [], unreadable: [] };
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return layer;
  if (!isMap(contents)) return broken(named, 'expected a mapping of sections at its top');

  const file = basename(path);
  const visit = (node: unknown, at: readonly string[]) => {
    const found = isAlias(node) ? node.resolve(document) : node;
    if (isMap(found)) {
      for (const pair of found.items) visit(pair.value, [...at, String(isScalar(pair.key) ? pair.key.value : pair.key)]);
      // An empty mapping says nothing, at the top as anywhere.
      if (found.items.length > 0 || at.length === 0) return;
    }
    const value = isNode(found) ? (found.toJS(document) as unknown) : found;
    if (value === null || value === undefined) return;
    layer.settings.push({ path: at, value, source: `${file}:${lineOf(node, lines)} ${at.join('.')}` });
  };
  visit(contents, []);
  return layer;
}

function lineOf(node: unknown, lines: LineCounter): number {
  const range = isScalar(node) || isCollection(node) || isAlias(node) ? node.range : undefined;
  return range ? lines.linePos(range[0]).line : 1;
}

function broken(named: string, rule: string): Layer {
  return { settings: [], unreadable: [{ field: 'EXEUNT_CONFIG', seen: named, rule }] };
}
