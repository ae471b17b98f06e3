/** The full proof, by the clock: see {@link USAGE}. Ends with 0 when nothing was lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { Disasters } from './disasters.js';
import type { Disaster } from './disasters.js';
import { findLosses } from './find-losses.js';
import type { Findings } from './find-losses.js';
import { Load } from './load.js';
import { parseOptions, USAGE } from './options.js';
import type { ChaosOptions } from './options.js';
import { Stage } from './stage.js';

/**
 * The defaults of Exeunt, but for: leases of 15 s (default 60 s), and so attempts of at most 10 s, so that what killed workers held comes back within
 * the time of the run.
 */
const CONFIG = `
dispatch:
  leaseSeconds: 15
  attemptTimeoutLimitMs: 10000
log:
  level: warn
`;
/** So many users are in one batch of events. */
const USERS_A_BATCH = 10;
/** So many batches are under way at a time. */
const POSTERS = 4;
/** Jobs of a killed worker are found by the queue after 30 s, and looked for every 15 s. */
const QUEUE_WITHIN_MS = 90_000;

/** How often each disaster comes, out of 100. */
const WEIGHTS: Record<ChaosOptions['backend'], [Disaster, number][]> = {
  postgres: [
    ['worker killed', 76],
    ['api killed', 12],
    ['postgres restarted', 6],
    ['postgres killed', 6],
  ],
  redis: [
    ['worker killed', 70],
    ['api killed', 12],
    ['postgres restarted', 4],
    ['postgres killed', 4],
    ['redis emptied', 5],
    ['redis killed', 5],
  ],
};

export async function runChaos(argv: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseOptions(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(`not over within ${options.minutes} minutes`)), options.minutes * 60_000);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => over.abort(new Error(`stopped by ${signal}`)));
  const stage = await Stage.build({ backend: options.backend, sps: options.sps, workers: options.workers, config: CONFIG });
  try {
    const ended = new Promise<never>((_, reject) => over.signal.addEventListener('abort', () => reject(over.signal.reason as Error)));
    return await Promise.race([play(stage, options, over.signal), ended]);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  } finally {
    clearTimeout(timer);
    over.abort(new Error('over'));
    await stage.strike();
  }
}

async function play(stage: Stage, options: ChaosOptions, signal: AbortSignal): Promise<number> {
  const begin = performance.now();
  await stage.sink.behave({ failing: 0.03, slow: 0.1, slowMs: 400 });
  const load = new Load(stage.api, stage.sps);
  const disasters = new Disasters(stage);
  const calm = new AbortController();
  const chaos = wreakHavoc(disasters, options, AbortSignal.any([calm.signal, signal]));
  const wanted = options.logouts * options.sps;
  const progress = setInterval(() => void showProgress(stage, load, disasters, wanted, begin), 10_000);
  try {
    // A fault in the chaos itself ends the run, too.
    await Promise.race([post(load, options.logouts), chaos.then(() => new Promise<never>(() => undefined))]);
    const acknowledgedMs = performance.now() - begin;
    // The chaos goes on until nearly all is told, so that it strikes sending as much as taking in.
    while ((await stage.openLogouts()) > 0.1 * options.logouts) await Promise.race([delay(1_000), chaos]);
    calm.abort();
    await chaos;
    const chaosMs = performance.now() - begin;
    await stage.drained(options.minutes * 60_000);
    const drainMs = performance.now() - begin - chaosMs;
    const findings = await findLosses(stage, load, { withinMs: QUEUE_WITHIN_MS, activeAtMost: 0 });
    showSummary({ options, stage, load, disasters, findings, acknowledgedMs, chaosMs, drainMs });
    return findings.broken.length === 0 ? 0 : 1;
  } finally {
    calm.abort();
    clearInterval(progress);
  }
}

async function post(load: Load, users: number): Promise<void> {
  let next = 0;
  const poster = async (): Promise<void> => {
    while (next < users) {
      const from = next;
      next = Math.min(users, next + USERS_A_BATCH);
      await load.logInAndOut(Array.from({ length: next - from }, (_, n) => from + n));
    }
  };
  await Promise.all(Array.from({ length: POSTERS }, poster));
}

async function wreakHavoc(disasters: Disasters, options: ChaosOptions, calm: AbortSignal): Promise<void> {
  const choose = chooser(options);
  while (!calm.aborted) await disasters.strike(choose(), options.killEverySeconds * 1_000, calm);
}

/** The same disasters in the same order for the same seed. */
function chooser({ backend, seed }: ChaosOptions): () => Disaster {
  let state = seed;
  return () => {
    // Knuth's multiplier, modulo 2^32; its upper bits are the good ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let at = (state / 4_294_967_296) * 100;
    for (const [disaster, weight] of WEIGHTS[backend]) if ((at -= weight) < 0) return disaster;
    return 'worker killed';
  };
}

async function showProgress(stage: Stage, load: Load, disasters: Disasters, wanted: number, begin: number): Promise<void> {
  const open = await stage.openLogouts().catch(() => NaN);
  const struck = Object.values(disasters.done).reduce((sum, n) => sum + n, 0);
  console.log(
    `${seconds(performance.now() - begin)} s: ${load.logoutIds.size} logouts acknowledged, ${open} open, ${await stage.sink.count()} tokens of ${wanted} wanted, ${struck} disasters`,
  );
}

interface Summary {
  options: ChaosOptions;
  stage: Stage;
  load: Load;
  disasters: Disasters;
  findings: Findings;
  acknowledgedMs: number;
  chaosMs: number;
  drainMs: number;
}

function showSummary({ options, stage, load, disasters, findings, acknowledgedMs, chaosMs, drainMs }: Summary): void {
  const again = findings.tokens - findings.deliveries;
  const failedStarts = stage.processes.reduce((sum, process) => sum + process.failedStarts, 0);
  const per = Object.entries(findings.tokensPerDelivery)
    .map(([tokens, n]) => `${n} x ${tokens}`)
    .join(', ');
  console.log(`
Queue on ${options.backend}, ${options.logouts} logouts x ${options.sps} SPs (one of them a gateway), ${options.workers} workers, fsync on
Disasters:            ${Object.entries(disasters.done)
    .filter(([, n]) => n > 0)
    .map(([what, n]) => `${what} ${n}`)
    .join(', ')}; ${failedStarts} starts failed
Acknowledged:         ${load.logoutIds.size} logouts in ${seconds(acknowledgedMs)} s; ${stage.api.retries} requests sent again, ${load.duplicates} events recognised as taken before
Deliveries:           ${findings.deliveries}, tokens ${findings.tokens} (${((100 * again) / findings.deliveries).toFixed(2)} % more than deliveries, refused ones included); deliveries x tokens: ${per}
Attempts without end: ${findings.attemptsWithoutResult}
Time:                 chaos ${seconds(chaosMs)} s, then drained in ${seconds(drainMs)} s
Broken promises:      ${findings.broken.length === 0 ? 'none: nothing was lost' : findings.broken.length}`);
  for (const one of findings.broken) console.error(`  ${one}`);
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
