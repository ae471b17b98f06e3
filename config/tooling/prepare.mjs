/**
 * Brings a checkout to where it can run: the right Node, the packages of package-lock.json, an up-to-date dist/.
 * Plain Node, no package: it runs before there are any. Does nothing, and writes nothing, when nothing is missing.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const OLDEST_NODE = [20, 19];

/**
 * @param {{ tests?: boolean, root?: string }} [options] `tests`: the packages of the tests, too.
 * @throws {Error} whose message is meant for the person in front of the terminal; `step` is `build` when only the sources are at fault.
 */
export async function prepare({ tests = false, root = ROOT } = {}) {
  checkNode(process.versions.node);
  if (!missing(root, tests).any) return;
  await underLock(root, async () => {
    // Another starter may have done it while this one waited.
    if (missing(root, tests).packages) await install(root);
    if (missing(root, tests).build) await build(root);
  });
}

/** @param {string} version e.g. `20.19.0` */
export function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = OLDEST_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new Error(`Exeunt needs Node ${OLDEST_NODE.join('.')} or newer; this is Node ${version} (${process.execPath}).`);
}

function missing(root, tests) {
  const build = isStale(root);
  // An image without devDependencies is complete as long as it needs neither to build nor to test.
  const packages = !hasPackages(root, tests || build);
  return { build, packages, any: build || packages };
}

/**
 * Compares what npm says it has installed with what package-lock.json wants, package by package: after an `npm install`
 * of a new one both agree, and nothing has to be installed again.
 */
export function hasPackages(root, withDev) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, want]) => {
    if (path === '' || want.link || (want.dev && !withDev)) return true;
    const have = installed[path];
    // For another platform: npm leaves those out.
    if (!have) return want.optional === true || want.devOptional === true || want.peer === true;
    return have.version === want.version && have.integrity === want.integrity && versionOf(join(root, path)) === want.version;
  });
}

/** What is really there: npm notes versions down that it has only resolved (`--package-lock-only`). */
function versionOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install(root) {
  console.log('Installing packages (npm ci)...');
  await npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'], root);
}

const BUILT = join('dist', '.built');

/** By content, not by time: a checkout of another commit, a copy or a deleted file must not leave an old build in place. */
function isStale(root) {
  if (!existsSync(join(root, 'src'))) return false;
  if (!existsSync(join(root, 'dist', 'main.js'))) return true;
  try {
    return readFileSync(join(root, BUILT), 'utf8') !== digestOfSources(root);
  } catch {
    return true;
  }
}

function digestOfSources(root) {
  const hash = createHash('sha256');
  const add = (file) => hash.update(relative(root, file).split(sep).join('/')).update('\0').update(readFileSync(file)).update('\0');
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) add(path);
    }
  };
  visit(join(root, 'src'));
  for (const file of ['tsconfig.json', 'package-lock.json']) if (existsSync(join(root, file))) add(join(root, file));
  return hash.digest('hex');
}

async function build(root) {
  console.log('Building (tsc)...');
  const digest = digestOfSources(root);
  // What tsc remembers to have written must be there, or it would not write it again.
  if (!existsSync(join(root, 'dist', 'main.js'))) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  try {
    await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.json')], root);
  } catch (error) {
    throw Object.assign(error, { step: 'build' });
  }
  writeFileSync(join(root, BUILT), digest);
}

/** npm as the one that runs us, if one does; no shell where there need not be one. */
function npm(args, cwd) {
  const own = process.env.npm_execpath;
  if (own && /\.c?js$/.test(own) && /npm/.test(own)) return run(process.execPath, [own, ...args], cwd);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, cwd, { shell: process.platform === 'win32' });
}

/** Runs to its end, output shown; a signal for us ends it first, so that no install goes on behind our back. */
export function run(program, args, cwd, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: 'inherit', ...options });
    const pass = (signal) => {
      child.kill(signal);
      child.once('exit', () => process.exit(signal === 'SIGINT' ? 130 : 143));
    };
    process.on('SIGINT', pass).on('SIGTERM', pass);
    const done = () => process.off('SIGINT', pass).off('SIGTERM', pass);
    child.once('error', (error) => (done(), reject(new Error(`${program} cannot be started: ${error.message}`))));
    child.once('exit', (code, signal) => {
      done();
      if (code === 0) resolve();
      else reject(new Error(`${[program, ...args].join(' ')} failed (${signal ? `signal ${signal}` : `status ${code}`}).`));
    });
  });
}

const BEAT_MS = 1_000;
/** So many beats missed: its holder was killed. */
const DEAD_AFTER_MS = 15_000;

/** One starter works, the others wait for it; a lock whose holder no longer beats is taken over. */
async function underLock(root, work) {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const lock = join(root, 'dist', '.prepare.lock');
  for (let told = false; !take(lock);) {
    if (!told) console.log('Another process is preparing this checkout; waiting for it...');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(lock, now, now);
    } catch {
      // Somebody cleaned dist/ away: the work goes on without the lock.
    }
  }, BEAT_MS);
  try {
    await work();
  } finally {
    clearInterval(beat);
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    if (Date.now() - statSync(lock).mtimeMs > DEAD_AFTER_MS) {
      const dead = `${lock}.${randomBytes(6).toString('hex')}`;
      renameSync(lock, dead);
      rmSync(dead, { force: true });
    }
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return false;
}
