import { execFile } from 'node:child_process';
import { chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { Watched, until } from '../support/process.js';
import { accountOf, isRoot } from '../support/root.js';
import { APACHE, SHIBD } from './products.js';
import { shibbolethApacheConfig, shibbolethConfig, SHIPPED } from './shibboleth-config.js';
import type { ShibbolethSite } from './shibboleth-config.js';

/** A Shibboleth SP of the test's own: shibd and an Apache with mod_shib, all in one folder, and nobody's service. */
export interface Shibboleth {
  /** What it protects. Shows who is signed in. */
  page: string;
  /** A handler of Shibboleth's. @param path `/Logout` */
  handler(path: string): string;
  start(): Promise<void>;
  /** Ends it, or ends what is left; sessions are gone then. */
  stop(): Promise<void>;
  /** All logs of both, for messages of failures. */
  log(): string;
  remove(): Promise<void>;
}

const run = promisify(execFile);
/** Logs in which what goes wrong stands. */
const TOLD = new Set(['apache.log', 'native.log', 'shibd_warn.log']);
const PAGE = 'Signed in: <!--#echo var="REMOTE_USER" --> <!--#echo var="Shib-Session-Index" -->\n';

/** @param tls the certificate of its Apache, and whom it trusts itself */
export async function startShibboleth(site: ShibbolethSite, tls: { cert: string; key: string; authority: string }): Promise<Shibboleth> {
  const folder = mkdtempSync(join(tmpdir(), 'exeunt-shibboleth-'));
  const account = isRoot ? accountOf('www-data') : undefined;
  const [etc, log, runDir] = ['etc', 'log', 'run'].map((part) => join(folder, part, 'shibboleth')) as [string, string, string];
  for (const part of [etc, log, runDir, join(folder, 'cache/shibboleth'), join(folder, 'site/secure')])
    mkdirSync(part, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  for (const file of readdirSync(SHIPPED)) copyFileSync(join(SHIPPED, file), join(etc, file));
  for (const name of ['native.logger', 'shibd.logger']) toFile(join(etc, name), log);
  write('etc/shibboleth/shibboleth2.xml', shibbolethConfig(folder, site));
  write('apache.conf', shibbolethApacheConfig(folder, site));
  write('authority.crt', tls.authority);
  write('tls.crt', tls.cert);
  write('tls.key', tls.key);
  write('site/secure/index.shtml', PAGE);
  await Promise.all(['sp-signing', 'sp-encrypt'].map((name) => makeKey(etc, name, site.entityId)));
  if (account)
    for (const part of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
      chownSync(join(folder, part), account.uid, account.gid);

  const env = {
    PATH: process.env.PATH,
    // Each has a folder named `shibboleth` in it.
    SHIBSP_CFGDIR: join(folder, 'etc'),
    SHIBSP_RUNDIR: join(folder, 'run'),
    SHIBSP_LOGDIR: join(folder, 'log'),
    SHIBSP_CACHEDIR: join(folder, 'cache'),
  };
  const handler = (path: string) => `${site.origin}/Shibboleth.sso${path}`;
  const agent = new Agent({ connect: { ca: tls.authority } });
  const running: Watched[] = [];
  const readLogs = () => {
    const files = readdirSync(log)
      .filter((name) => TOLD.has(name))
      .map((name) => `--- ${name}\n${readFileSync(join(log, name), 'utf8')}`);
    return [...running.map(({ output }) => output), ...files].join('\n');
  };
  const launch = (program: string, args: string[]) => {
    const process = new Watched(program, args, { cwd: '/', env, ...account });
    running.push(process);
    return process;
  };
  const ready = (process: Watched, condition: () => boolean | Promise<boolean>, what: string) =>
    until(() => {
      if (process.isOver) throw new Error(`it ended by itself before ${what}:\n${readLogs()}`);
      return condition();
    }, what);
  const start = async () => {
    const shibd = launch(SHIBD, ['-f', '-F', '-p', join(runDir, 'shibd.pid')]);
    await ready(shibd, () => existsSync(join(runDir, 'shibd.sock')), 'shibd listens');
    const apache = launch(APACHE, ['-f', join(folder, 'apache.conf'), '-D', 'FOREGROUND']);
    await ready(apache, () => answers(handler('/Metadata'), agent), 'Apache and shibd answer');
  };
  const stop = async () => {
    for (const process of running.splice(0).reverse()) await process.end('SIGTERM');
  };
  await start();
  return {
    page: `${site.origin}/secure/index.shtml`,
    handler,
    start,
    stop,
    log: readLogs,
    remove: async () => {
      await Promise.all([stop(), agent.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As on a real machine; the owner is set with that of all files. */
async function makeKey(folder: string, name: string, entityId: string): Promise<void> {
  await run('/usr/sbin/shib-keygen', ['-b', '-u', '', '-g', '', '-o', folder, '-n', name, '-h', 'localhost', '-e', entityId]);
}

/** The package's logging, into the folder of the test. */
function toFile(file: string, folder: string): void {
  const config = readFileSync(file, 'utf8')
    .replaceAll('/var/log/shibboleth/', `${folder}/`)
    .replace(/^(log4j\.appender\.native_log)=.*LocalSyslogAppender$/m, `$1=org.apache.log4j.FileAppender\n$1.fileName=${folder}/native.log`)
    .replace(/^log4j\.appender\.native_log\.(syslogName|facility)=.*$/gm, '');
  writeFileSync(file, config);
}

/** Whether Apache and shibd both answer. A port that is open says little: Apache opens it before it can serve. */
async function answers(url: string, dispatcher: Agent): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { dispatcher });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
