import { nowMs } from './statistics.mjs';
import { printTable, verdictOf } from './table.mjs';
import { World } from './world.mjs';
import { measureHanging } from './figures/hanging.mjs';
import { measureIntake } from './figures/intake.mjs';
import { measureLatency } from './figures/latency.mjs';
import { measureMemory } from './figures/memory.mjs';
import { measureSamlIntake } from './figures/saml-intake.mjs';
import { measureThroughput } from './figures/throughput.mjs';

const MEASURES = {
  throughput: measureThroughput,
  intake: measureIntake,
  latency: measureLatency,
  hanging: measureHanging,
  memory: measureMemory,
  saml: measureSamlIntake,
};

/**
 * Runs the bench and prints its one table, or JSON.
 * @param {ReturnType<import('./options.mjs').parseOptions>} options
 * @returns {Promise<number>} the exit status: 0 when it ran, whatever it measured
 */
export async function runBench(options) {
  const begin = nowMs();
  const say = (text) => process.stderr.write(`[${((nowMs() - begin) / 1_000).toFixed(1).padStart(6)} s] ${text}\n`);
  const world = new World(options, say);
  let interrupted = false;
  const stop = () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    void world.stop().finally(() => process.exit(130));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    say('starting PostgreSQL, the sink and Exeunt');
    await world.start();
    for (const note of world.notes) say(note);
    const figures = [];
    for (const [name, measure] of Object.entries(MEASURES)) if (options.only.has(name)) figures.push(...(await measure(world)));
    process.stdout.write(options.json ? json(options, world, figures, begin) : text(options, world, figures, begin));
    return 0;
  } catch (error) {
    if (interrupted) await new Promise(() => {});
    console.error(error);
    return 1;
  } finally {
    if (!interrupted) await world.stop();
  }
}

function text(options, world, figures, begin) {
  const machine = world.machine();
  return [
    '',
    printTable(figures),
    '',
    `${machine.cores} cores (${machine.cpu}), Node ${machine.node}, PostgreSQL ${machine.postgres}, fsync ${machine.fsyncMs} ms; roles: ${options.roles}`,
    `median of ${options.rounds} alternating round${options.rounds === 1 ? '' : 's'}; in brackets what a release must reach; ${Math.round((nowMs() - begin) / 1_000)} s in all`,
    ...(options.quick ? ['--quick: shows that it runs, not how fast it is'] : []),
    ...world.notes,
    '',
  ].join('\n');
}

function json(options, world, figures, begin) {
  const shown = figures.map(({ shown: _, isAbsolute: __, ...figure }) => ({ ...figure, verdict: verdictOf(figure) }));
  const { quick, rounds, roles } = options;
  return `${JSON.stringify({ at: new Date().toISOString(), quick, rounds, roles, seconds: (nowMs() - begin) / 1_000, machine: world.machine(), figures: shown, notes: world.notes }, null, 2)}\n`;
}
