import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Children } from './children.mjs';
import { Printer } from './print.mjs';
import { playScenario } from './scenario.mjs';

const LOOK_EVERY_MS = 200;

/** The demo was stopped from outside. */
class Interrupted extends Error {}

/**
 * Plays the demo and leaves no process behind, whatever happens.
 * @param {ReturnType<import('./options.mjs').parseOptions>} options
 * @returns {Promise<number>} exit code: 0 only if every check held
 */
export async function runDemo(options) {
  const print = new Printer();
  const dataDir = makeDataDir();
  const children = new Children(dataDir);
  const interrupted = interruption();
  interrupted.catch(() => {});
  let code = 1;
  try {
    const stage = await Promise.race([playScenario({ options, children, dataDir, print }), interrupted]);
    code = print.failures === 0 ? 0 : 1;
    console.log(code === 0 ? '\nEvery check held.' : `\n${print.failures} check(s) did not hold.`);
    if (options.keep) await keepRunning(stage, interrupted);
  } catch (error) {
    if (error instanceof Interrupted) {
      console.error(`\n${error.message}: stopping everything`);
      if (!options.keep || code !== 0) code = 130;
    } else {
      console.error(`\nThe demo cannot go on: ${error.message}`);
    }
  }
  await children.stopAll();
  if (code === 0 || code === 130) rmSync(dataDir, { recursive: true, force: true });
  else console.error(`Logs and data are in ${dataDir}`);
  return code;
}

/** In the system's folder for such things: the embedded PostgreSQL, which never runs as root, must be able to pass through. */
function makeDataDir() {
  const dir = mkdtempSync(join(tmpdir(), 'exeunt-demo-'));
  chmodSync(dir, 0o711);
  return dir;
}

function interruption() {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      // Stays in force while the children are being stopped: a second Ctrl-C must not leave some of them running.
      process.on(signal, () => reject(new Interrupted(signal)));
    }
    // npm runs us by way of a shell, and a SIGTERM for npm ends that shell, which tells nobody.
    if (process.env.npm_lifecycle_event !== undefined && process.platform !== 'win32') {
      const parent = process.ppid;
      const look = () => process.ppid !== parent && reject(new Interrupted('npm is gone'));
      setInterval(look, LOOK_EVERY_MS).unref();
    }
  });
}

async function keepRunning({ exeunt, cast }, interrupted) {
  console.log(`\nEverything stays up until Ctrl-C.`);
  console.log(`  Exeunt       ${exeunt.baseUrl}  (API pages at /docs; admin token ${exeunt.adminToken})`);
  for (const { name, baseUrl } of cast.applications) {
    console.log(`  ${name.padEnd(11)}  ${baseUrl}/profile  (any name and password)`);
  }
  console.log(`  log out at   ${cast.op.issuer}/session/end  (the OP) or ${cast.samlSp.baseUrl}/logout  (by SAML)`);
  // Nothing else may be left that keeps this process alive.
  const alive = setInterval(() => {}, 60_000);
  await interrupted.finally(() => clearInterval(alive));
}
