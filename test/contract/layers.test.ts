import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RULES = join(ROOT, 'config/tooling/layers.cjs');
/** Below this the parser has read something else than our sources. */
const LEAST_MODULES = 20;

interface Report {
  modules: { source: string; dependencies: { module: string; resolved: string; couldNotResolve: boolean }[] }[];
  summary: { violations: { from: string; to: string; rule: { name: string } }[] };
}

const run = promisify(execFile);

/** Runs the checked-in rules over the `src` of a folder. */
async function cruise(folder: string): Promise<Report> {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [program, '--config', RULES, '--no-cache', '--output-type', 'json', 'src'];
  const { stdout } = await run(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Report;
}

const broken = (report: Report) => report.summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`).sort();

/** A source tree of its own, with our packages in reach. */
async function plant(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'exeunt-layers-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), await readFile(join(ROOT, 'package.json')));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** A small tree that keeps every rule. */
const CLEAN = {
  'src/main.ts': "import { go } from '#ops'; import '#intake/rest'; import '#channels/mail'; import '#dispatch'; go();",
  'src/domain/index.ts': "export * from './clock.js'; export * from './id.js';",
  'src/domain/clock.ts': 'export const now = 1;',
  'src/domain/id.ts': "import { randomUUID } from 'node:crypto'; export const id = randomUUID();",
  'src/protocol/oidc/index.ts':
    "import type { now } from '#domain'; import { SignJWT } from 'jose'; export const sign = (n: typeof now) => [n, SignJWT];",
  'src/platform/egress/index.ts': "import { Agent } from 'undici'; import '#domain'; export const agent = new Agent();",
  'src/platform/tokens.ts': "import '#domain'; export const TOKEN = 1;",
  'src/platform/index.ts': "export * from './tokens.js';",
  'src/platform/database/index.ts': "import '../tokens.js'; export * from './sql.js';",
  'src/platform/database/sql.ts': "import type { Pool } from 'pg'; export type P = Pool;",
  'src/registry/index.ts': "import '#platform/database'; export type Sp = string;",
  'src/channels/index.ts': "export * from './channel.js';",
  'src/channels/channel.ts': "import type { Sp } from '#registry'; export type Message = Sp;",
  'src/channels/mail/index.ts': "import type { Message } from '../channel.js'; import '#platform/egress'; export type M = Message;",
  'src/dispatch/index.ts': "import '#channels'; import '#platform'; export const d = 1;",
  'src/intake/rest/index.ts': "import { sign } from '#protocol/oidc'; export { sign };",
  'src/ops/index.ts': "import './deep/part.js'; export const go = () => 1;",
  'src/ops/deep/part.ts': "import '#domain'; export const part = 1;",
  'src/ops/part.test.ts': "import fc from 'fast-check'; import { part } from './deep/part.js'; fc.assert(part as never);",
};

/** For each rule imports that break it, written in the ways that are most easily missed: [file, its text, what is caught]. */
const PLANTED: Record<string, [file: string, text: string, caught: RegExp][]> = {
  'layer-domain': [['src/domain/layer.ts', "export type { TOKEN } from '#platform';", /^src\/platform\/index\.ts$/]],
  'layer-protocol': [
    ['src/protocol/oidc/layer.ts', "import type { TOKEN } from '#platform'; export type T = typeof TOKEN;", /^src\/platform\//],
  ],
  'layer-platform': [['src/platform/database/layer.ts', "import '#registry';", /^src\/registry\/index\.ts$/]],
  'layer-registry': [['src/registry/layer.ts', "export * from '#channels';", /^src\/channels\/index\.ts$/]],
  'layer-access': [['src/access/layer.ts', "import { sign } from '#protocol/oidc'; export { sign };", /^src\/protocol\/oidc\/index\.ts$/]],
  'layer-sessions': [['src/sessions/layer.ts', "import '#registry';", /^src\/registry\//]],
  'layer-ledger': [['src/ledger/layer.ts', "import '#registry';", /^src\/registry\//]],
  'layer-channels': [['src/channels/mail/layer.ts', "import '#dispatch';", /^src\/dispatch\//]],
  'layer-dispatch': [['src/dispatch/layer.ts', "export const late = () => import('#ops');", /^src\/ops\//]],
  'layer-coordinator': [['src/coordinator/layer.ts', "import '#intake/rest';", /^src\/intake\/rest\//]],
  'layer-intake': [['src/intake/rest/layer.ts', "import '#dispatch';", /^src\/dispatch\//]],
  'layer-reports': [['src/reports/layer.ts', "import '#registry';", /^src\/registry\//]],
  'layer-ops': [['src/ops/layer.ts', "import '#intake/rest';", /^src\/intake\/rest\//]],
  'known-layer': [['src/utils/layer.ts', "import '#domain';", /^src\/domain\//]],
  'nobody-imports-the-root': [['src/ops/root.ts', "import '../main.js';", /^src\/main\.ts$/]],
  'through-the-index': [
    ['src/dispatch/around.ts', "import { now } from '../domain/clock.js'; export { now };", /^src\/domain\/clock\.ts$/],
    ['src/intake/rest/around.ts', "import '#ops/inner';", /^src\/ops\/inner\/index\.ts$/],
  ],
  'parts-through-the-index': [['src/platform/egress/around.ts', "import '../database/sql.js';", /^src\/platform\/database\/sql\.ts$/]],
  'parts-from-above': [['src/platform/around.ts', "import './database/sql.js';", /^src\/platform\/database\/sql\.ts$/]],
  'root-through-the-index': [
    ['src/worker.ts', "import './ops/deep/part.js';", /^src\/ops\/deep\/part\.ts$/],
    ['src/api.ts', "import '#ops/inner';", /^src\/ops\/inner\/index\.ts$/],
  ],
  'channels-apart': [['src/channels/post/index.ts', "export * from '#channels/mail';", /^src\/channels\/mail\/index\.ts$/]],
  'domain-no-package': [['src/domain/package.ts', "import { z } from 'zod'; export { z };", /node_modules\/zod\//]],
  'protocol-no-framework': [
    ['src/protocol/oidc/nest.ts', "import { Injectable } from '@nestjs/common'; export { Injectable };", /node_modules\/@nestjs\/common\//],
  ],
  'pure-builtins': [['src/protocol/oidc/files.ts', "import { readFile } from 'node:fs/promises'; export { readFile };", /^fs\/promises$/]],
  'one-door-out': [
    ['src/dispatch/door.ts', "export const door = () => import('undici');", /node_modules\/undici\//],
    ['src/ops/door.ts', "import { request } from 'node:https'; export { request };", /^https$/],
  ],
  'no-cycle': [['src/ops/a.ts', "import './b.js'; export const a = 1;", /^src\/ops\/b\.ts$/]],
  'no-test-in-src': [
    ['src/ops/tested.ts', "import './part.test.js';", /^src\/ops\/part\.test\.ts$/],
    ['src/ops/supported.ts', "import '../../test/support/db.js';", /^test\/support\/db\.ts$/],
  ],
  'no-dev-dependency': [['src/ops/dev.ts', "import express from 'express'; export { express };", /node_modules\/express\//]],
  'no-undeclared-package': [
    ['src/ops/borrowed.ts', "import inject from 'light-my-request'; export { inject };", /node_modules\/light-my-request\//],
  ],
  resolvable: [['src/ops/gone.ts', "import '#gone';", /^#gone$/]],
  'no-orphan': [['src/ops/left.ts', 'export const left = 1;', /^src\/ops\/left\.ts$/]],
  'reached-from-main': [['src/ops/unreached.ts', "import '#domain'; export const left = 1;", /^src\/ops\/unreached\.ts$/]],
};

describe('the layers of the source', () => {
  let report: Report;
  const isSource = (path: string) => path.startsWith('src/');

  beforeAll(async () => {
    report = await cruise(ROOT);
  }, 120_000);

  test('are kept', () => {
    expect(broken(report)).toEqual([]);
  });

  test('are judged on every source file, none left unread', async () => {
    const files = (await readdir(join(ROOT, 'src'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
    expect(files.length).toBeGreaterThan(LEAST_MODULES);
    expect(files).toContain('src/main.ts');
    expect(
      report.modules
        .map((module) => module.source)
        .filter(isSource)
        .sort(),
    ).toEqual(files.sort());
  });

  test('are judged on every #name import, each resolved to a source', async () => {
    let seen = 0;
    for (const module of report.modules.filter(({ source }) => isSource(source))) {
      const text = await readFile(join(ROOT, module.source), 'utf8');
      const written = new Set([...text.matchAll(/^(?:import|export|\}).*?from '(#[^']+)';$/gm)].map((match) => match[1]));
      const resolved = new Set(
        module.dependencies.filter((one) => isSource(one.resolved) && !one.couldNotResolve).map((one) => one.module),
      );
      expect({ source: module.source, unresolved: [...written].filter((name) => !resolved.has(name ?? '')) }).toEqual({
        source: module.source,
        unresolved: [],
      });
      seen += written.size;
    }
    expect(seen).toBeGreaterThan(LEAST_MODULES);
  });
});

describe('the rules about layers', () => {
  const folders: string[] = [];
  let violations: Report['summary']['violations'];
  const cruisePlanted = async (files: Record<string, string>) => {
    const folder = await plant(files);
    folders.push(folder);
    return cruise(folder);
  };

  beforeAll(async () => {
    const planted = Object.values(PLANTED).flatMap((files) => files.map(([file, text]): [string, string] => [file, text]));
    const around = {
      'src/ops/inner/index.ts': "import '#domain';",
      'src/ops/b.ts': "import type { a } from './a.js'; export type A = typeof a;",
      'test/support/db.ts': 'export const db = 1;',
    };
    ({ violations } = (await cruisePlanted({ ...CLEAN, ...around, ...Object.fromEntries(planted) })).summary);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  });

  test('let a tree pass that keeps them', async () => {
    expect(broken(await cruisePlanted(CLEAN))).toEqual([]);
  }, 120_000);

  test('have a reason and a planted violation each', () => {
    const rules = createRequire(import.meta.url)(RULES) as { forbidden: { name: string; comment?: string; severity: string }[] };
    expect(rules.forbidden.map(({ name }) => name).sort()).toEqual(Object.keys(PLANTED).sort());
    expect(rules.forbidden.filter(({ comment, severity }) => !comment || severity !== 'error')).toEqual([]);
  });

  test.each(Object.entries(PLANTED))('%s bites', (name, files) => {
    const caught = violations.filter(({ rule }) => rule.name === name);
    for (const [file, , to] of files) {
      // A rule about the whole graph names the module that is not reached, not the one that fails to import it.
      const found = caught.filter((one) => [one.from, one.to].includes(file)).map((one) => one.to);
      expect({ file, found }).toEqual({ file, found: [expect.stringMatching(to)] });
    }
  });
});
