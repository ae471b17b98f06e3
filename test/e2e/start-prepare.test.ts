import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Watched } from '../support/process.js';

const PREPARE = pathToFileURL(join(process.cwd(), 'config/tooling/prepare.mjs')).href;
// Many processes one after the other, on whatever machine this is.
jest.setTimeout(120_000);

let root = '';

/** A checkout whose only package is a compiler that notes each of its runs. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'exeunt-checkout-'));
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src', 'main.ts'), '// one\n');
  writeFileSync(join(root, 'src', 'other.ts'), '// other\n');
  writeFileSync(join(root, 'tsconfig.json'), '{}');
  addCompiler('1.0.0');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function addCompiler(version: string): void {
  const source = join(root, 'compiler');
  mkdirSync(join(source, 'bin'), { recursive: true });
  writeFileSync(join(source, 'package.json'), JSON.stringify({ name: 'typescript', version, files: ['bin'] }));
  writeFileSync(
    join(source, 'bin', 'tsc'),
    `const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
if (existsSync('src/broken.ts')) { console.log('src/broken.ts(1,1): error'); process.exit(2); }
mkdirSync('dist', { recursive: true });
appendFileSync('builds', '${version}\\n');
writeFileSync('dist/main.js', '');
`,
  );
  execFileSync('npm', ['pack', '--silent', '--pack-destination', root, source], { stdio: 'ignore' });
  rmSync(source, { recursive: true });
  const spec = `file:typescript-${version}.tgz`;
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'checkout', version: '1.0.0', devDependencies: { typescript: spec } }));
  execFileSync('npm', ['install', '--package-lock-only', '--offline', '--silent', '--no-audit'], { cwd: root, stdio: 'ignore' });
}

function prepare(call = `prepare({ tests: true, root: ${JSON.stringify(root)} })`): Watched {
  const script = `import { prepare, checkNode } from ${JSON.stringify(PREPARE)};
try { await ${call}; console.log('prepared'); } catch (error) { console.log(error.message); process.exitCode = 1; }`;
  return new Watched(process.execPath, ['--input-type=module', '-e', script], { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } });
}

async function prepared(): Promise<string> {
  const run = prepare();
  const { code } = await run.ending();
  expect([code, run.output]).toEqual([0, expect.stringContaining('prepared')]);
  return run.output;
}

const builds = () => readFileSync(join(root, 'builds'), 'utf8').trim().split('\n');

describe('npm start and npm test prepare the checkout', () => {
  it('installs and builds a fresh clone, once, however many start at once', async () => {
    const all = [prepare(), prepare(), prepare()];
    for (const run of all) expect([(await run.ending()).code, run.output]).toEqual([0, expect.stringContaining('prepared')]);
    expect(all.filter((run) => run.output.includes('Installing packages'))).toHaveLength(1);
    expect(builds()).toEqual(['1.0.0']);
  });

  it('does and writes nothing when nothing is missing', async () => {
    await prepared();
    const before = statSync(join(root, 'dist')).mtimeMs;
    expect(await prepared()).toBe('prepared\n');
    expect(statSync(join(root, 'dist')).mtimeMs).toBe(before);
  });

  it('builds when a source was changed, added or removed, whatever its time says; not for a test', async () => {
    await prepared();
    const source = join(root, 'src', 'other.ts');
    const { atime, mtime } = statSync(source);
    writeFileSync(source, '// edited\n');
    utimesSync(source, atime, mtime);
    await prepared();
    expect(builds()).toHaveLength(2);
    rmSync(source);
    await prepared();
    expect(builds()).toHaveLength(3);
    writeFileSync(join(root, 'src', 'main.test.ts'), '');
    await prepared();
    expect(builds()).toHaveLength(3);
  });

  it('installs when package-lock.json wants another version, and when a package is gone', async () => {
    await prepared();
    addCompiler('2.0.0');
    expect(await prepared()).toContain('Installing packages');
    expect(builds().at(-1)).toBe('2.0.0');
    rmSync(join(root, 'node_modules', 'typescript'), { recursive: true });
    expect(await prepared()).toContain('Installing packages');
    expect(existsSync(join(root, 'node_modules', 'typescript'))).toBe(true);
  });

  it('says that the build failed, and builds again next time', async () => {
    const broken = join(root, 'src', 'broken.ts');
    writeFileSync(broken, 'x');
    const run = prepare();
    expect((await run.ending()).code).toBe(1);
    expect(run.output).toMatch(/src\/broken\.ts\(1,1\): error[^]*failed \(status 2\)/);
    rmSync(broken);
    await prepared();
    expect(builds()).toHaveLength(1);
  });

  it('takes over from a starter that was killed', async () => {
    const lock = join(root, 'dist', '.prepare.lock');
    mkdirSync(join(root, 'dist'));
    writeFileSync(lock, '1');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    await prepared();
    expect(existsSync(lock)).toBe(false);
  });

  it.each(['18.20.0', '20.18.3'])('names the Node that it needs, on %s', async (version) => {
    const run = prepare(`checkNode('${version}')`);
    expect((await run.ending()).code).toBe(1);
    expect(run.output).toContain(`Exeunt needs Node 20.19 or newer; this is Node ${version}`);
  });

  it.each(['20.19.0', '22.0.0', '24.1.0'])('runs on Node %s', async (version) => {
    expect((await prepare(`checkNode('${version}')`).ending()).code).toBe(0);
  });
});
