import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { LineCounter, isMap, isScalar, parseDocument } from 'yaml';
import { loadConfig } from './load-config.js';
import { readConfigFile } from './read-file.js';
import { VARIABLES } from './read-environment.js';
import { configSchema } from './schema.js';
import { SCHEMA_KEYS } from './schema-keys.js';

const MANUAL = fileURLToPath(new URL('../../../config/default.yaml', import.meta.url));
const text = readFileSync(MANUAL, 'utf8');
const UNIT = /Seconds|Ms$|Bytes|Days|PerMinute/;
const UNIT_WORDS: Record<string, string> = {
  Seconds: 'Seconds',
  Ms: 'Milliseconds',
  Bytes: 'Bytes',
  Days: 'Days',
  PerMinute: 'per minute',
};

/** `section.key` of every line, with the comment lines right above it. */
function commented(): Map<string, string> {
  const lines = text.split('\n');
  const counter = new LineCounter();
  const found = new Map<string, string>();
  const visit = (node: unknown, at: string[]) => {
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      if (!isScalar(key) || !key.range) continue;
      const path = [...at, String(key.value)];
      const above: string[] = [];
      for (let line = counter.linePos(key.range[0]).line - 2; lines[line]?.trim().startsWith('#'); line--) {
        above.unshift(lines[line]!.trim().slice(1).trim());
      }
      found.set(path.join('.'), above.join(' '));
      visit(value, path);
    }
  };
  visit(parseDocument(text, { lineCounter: counter }).contents, []);
  return found;
}

describe('config/default.yaml', () => {
  it('says exactly the defaults of the schema', () => {
    expect(loadConfig({ env: { EXEUNT_CONFIG: MANUAL }, cwd: '/somewhere' })).toEqual({
      ...configSchema.parse({}),
      dataDir: '/somewhere/.exeunt',
    });
    const said = new Map(readConfigFile(MANUAL, '/').settings.map(({ path, value }) => [path.join('.'), value]));
    for (const key of SCHEMA_KEYS.keys()) {
      const [section, name] = key.split('.') as [keyof ReturnType<typeof configSchema.parse>, string | undefined];
      const part: unknown = configSchema.parse({})[section];
      expect([key, said.get(key)]).toEqual([key, name === undefined ? part : (part as Record<string, unknown>)[name]]);
    }
  });

  it('has every key of the schema, and no other', () => {
    const leaves = [...commented().keys()].filter((key) => !configSchemaSections().has(key));
    expect(leaves.sort()).toEqual([...SCHEMA_KEYS.keys()].sort());
  });

  it.each([...SCHEMA_KEYS.keys()])('describes %s: its meaning, its unit, its default, its variable', (key) => {
    const comment = commented().get(key) ?? '';
    expect(comment).toMatch(/\w{3,}.*Default: /);
    const unit = UNIT.exec(key)?.[0];
    if (unit) expect(comment).toContain(UNIT_WORDS[unit]);
    const variable = Object.entries(VARIABLES).find(([, named]) => named === key)?.[0];
    if (variable) expect(comment).toContain(`Variable: ${variable}`);
    const number = numericDefault(key);
    if (number !== undefined) expect(comment).toContain(`Default: ${number}`);
  });
});

function configSchemaSections(): Set<string> {
  return new Set([...SCHEMA_KEYS.keys()].filter((key) => key.includes('.')).map((key) => key.split('.')[0]!));
}

function numericDefault(key: string): number | undefined {
  const value = key.split('.').reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], configSchema.parse({}));
  return typeof value === 'number' ? value : undefined;
}
