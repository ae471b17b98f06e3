import { setTimeout as delay } from 'node:timers/promises';
import { nowMs, percentile } from '../statistics.mjs';

const HEALTHY = 49;
const IDP = 'bench-hanging';
/** Logouts a second, each at all 50: a load that the machine carries with ease, so that what is measured is the neighbour. */
const A_SECOND = 8;

/** Delivery times of 49 healthy service providers while the 50th takes every request and never answers, against all 50 healthy. */
export async function measureHanging(world) {
  const { quick, rounds } = world.options;
  const logouts = quick ? 16 : 48;
  const sps = [
    ...Array.from({ length: HEALTHY }, (_, sp) => ({ id: `neighbour-${sp}`, uri: `${world.origins.prompt}/neighbour/${sp}` })),
    { id: 'stubborn', uri: `${world.origins.stubborn}/stubborn` },
  ];
  const figures = [];
  for (const exeunt of world.exeunts) {
    await exeunt.register(IDP, sps);
    world.say(`hanging: warming up on ${exeunt.backend}`);
    await times(world, exeunt, sps, 16);
    await exeunt.analyze();
    const calm = [];
    const hanging = [];
    const measures = [
      async () => calm.push(await times(world, exeunt, sps, logouts)),
      async () => {
        await world.sink.call('hang', true);
        hanging.push(await times(world, exeunt, sps, logouts, () => world.sink.call('hang', false)));
      },
    ];
    for (let round = 1; round <= rounds; round++) {
      // What comes second is not always the same: the machine may grow busier, and the tables larger.
      for (const measure of round % 2 === 1 ? measures : [...measures].reverse()) await measure();
      const shown = `p95 ${p95(hanging.at(-1)).toFixed(1)} ms while one hangs, ${p95(calm.at(-1)).toFixed(1)} ms while none does`;
      world.say(`hanging: ${exeunt.backend}, round ${round}: ${shown}`);
    }
    // One percentile over all rounds: that of a single round hangs on a handful of its 48 logouts.
    const [hangingMs, calmMs] = [p95(hanging.flat()), p95(calm.flat())];
    figures.push({
      name: `hanging/${exeunt.backend}`,
      figure: `p95 of ${HEALTHY} healthy SPs while one never answers / none hanging, ${exeunt.backend}`,
      goal: { atMost: 1.1 },
      ratio: hangingMs / calmMs,
      absolute: { hangingMs, calmMs },
      shown: () => `${hangingMs.toFixed(1)} / ${calmMs.toFixed(1)} ms`,
      rounds: calm.map((_, round) => p95(hanging[round]) / p95(calm[round])),
    });
  }
  return figures;
}

const p95 = (values) => percentile(values, 0.95);

/** From the post of a logout event to the arrival of each of its messages at the healthy ones. */
async function times(world, exeunt, sps, logouts, afterwards = async () => {}) {
  const users = Array.from({ length: logouts }, (_, n) => n).map((n) => ({
    sid: `${IDP}-${exeunt.fresh('h')}-${n}`,
    sps: sps.map((sp) => sp.id),
  }));
  await exeunt.logIn(IDP, users);
  await world.sink.call('record');
  const begin = nowMs();
  const posted = new Map();
  const accepted = [];
  for (const [n, user] of users.entries()) {
    await delay(Math.max(0, begin + (n * 1_000) / A_SECOND - nowMs()));
    posted.set(user.sid, nowMs());
    accepted.push(exeunt.logOut(IDP, [user], 1, 1));
  }
  await Promise.all(accepted);
  const rows = await allTold(world, logouts * HEALTHY);
  await afterwards();
  await exeunt.settled();
  return rows.map(([sid, , at]) => at - posted.get(sid));
}

/** Waits until the sink has recorded the messages for the healthy ones, and no longer. */
async function allTold(world, wanted) {
  const rows = [];
  for (const until = nowMs() + 60_000; ;) {
    rows.push(...(await world.sink.call('recorded')).filter(([, path]) => path.startsWith('/neighbour/')));
    if (rows.length >= wanted) {
      await world.sink.call('stopRecording');
      return rows;
    }
    if (nowMs() > until) throw new Error(`only ${rows.length} of ${wanted} messages for healthy service providers came within a minute`);
    await delay(100);
  }
}
