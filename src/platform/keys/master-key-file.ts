import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ExeuntError, messageOf } from '#domain';
import { MasterKey } from './master-key.js';

const NAME = 'master.key';
const OTHERS = 0o077;

/**
 * For the embedded mode: the master key of a data directory, made when there is none yet. Only its owner may read the file;
 * without it the keys in the database are lost, so it belongs into the backup, apart from the database.
 * @throws ExeuntError `configuration` when others may read it, or it cannot be read, written or understood.
 */
export async function loadOrCreateMasterKey(dataDir: string): Promise<MasterKey> {
  const path = join(dataDir, NAME);
  try {
    await mkdir(dataDir, { recursive: true });
    return (await readKey(path)) ?? (await createKey(path));
  } catch (error) {
    if (error instanceof ExeuntError) throw error;
    throw new ExeuntError('configuration', `The master key file ${path} cannot be used: ${messageOf(error)}`, [], { cause: error });
  }
}

async function readKey(path: string): Promise<MasterKey | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    throw new ExeuntError(
      'configuration',
      `The master key file ${path} has mode ${(mode & 0o777).toString(8)}, so others may read it; wanted 600 (\`chmod 600 ${path}\`)`,
    );
  }
  try {
    return MasterKey.fromText(text);
  } catch (cause) {
    throw new ExeuntError('configuration', `The master key file ${path} does not hold a master key`, [], { cause });
  }
}

/** Written aside and linked into place: of two starters one wins and both use its key; a crash leaves no half key. */
async function createKey(path: string): Promise<MasterKey> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(`${MasterKey.generateText()}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(aside);
  }
  const key = await readKey(path);
  if (!key) throw new Error('it vanished while it was made');
  return key;
}
