import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from './load-config.js';

const EXAMPLES = fileURLToPath(new URL('../../../config/examples/', import.meta.url));

describe('config/examples', () => {
  it.each(readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml')))('%s is accepted', (name) => {
    expect(() => loadConfig({ env: { EXEUNT_CONFIG: name }, cwd: EXAMPLES })).not.toThrow();
  });
});
