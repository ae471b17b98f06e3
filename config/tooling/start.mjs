/** `npm start`: prepares the checkout, then is Exeunt, in this very process, so that signals sent to it arrive. */
import { prepare } from './prepare.mjs';

try {
  await prepare();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
await import('../../dist/main.js');
