/** `npm start`: prepares the checkout, then is Exeunt, in this very process, so that signals sent to it arrive. */
import { prepare } from './prepare.mjs';

/**
 * npm runs us by way of a shell. A SIGTERM for npm ends that shell, which tells nobody: all we see is that our parent is
 * gone. Only under npm: whoever starts this file himself may leave it running.
 */
const LOOK_EVERY_MS = 200;
const EXIT_STATUS = { SIGINT: 130, SIGTERM: 143 };

try {
  await prepare();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
if (process.env.npm_lifecycle_event !== undefined && process.platform !== 'win32') followParent();
await import('../../dist/main.js');

function followParent() {
  let told = false;
  for (const [signal, status] of Object.entries(EXIT_STATUS)) {
    process.on(signal, () => {
      told = true;
      // Nobody else listens yet: the signal does what it does without us.
      if (process.listenerCount(signal) === 1) process.exit(status);
    });
  }
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    // After a Ctrl-C the shell goes, too, and we know already; a second signal would cut our stop short.
    if (!told) process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS);
  look.unref();
}
