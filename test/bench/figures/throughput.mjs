import { canReadProcessorTime, processorMs } from '../processor-time.mjs';
import { median, nowMs } from '../statistics.mjs';
import { CONCURRENCY, IDP, SERVICE_PROVIDERS, usersAt } from '../world.mjs';

const FAN_OUTS = [3, 20, 200];
/** Logout events a request, and requests at a time: an IdP that reports what ends, in small batches. */
const EVENTS_A_REQUEST = 10;
const REQUESTS_AT_ONCE = 8;

/** Durable deliveries a second against the bare loop and node-oidc-provider, by fan-out and backend. */
export async function measureThroughput(world) {
  const { quick, rounds } = world.options;
  const deliveries = quick ? 1_200 : 6_000;
  world.say('throughput: warming up');
  await bareRate(world, deliveries);
  await providerRate(world, deliveries / 2);
  for (const exeunt of world.exeunts) {
    for (const count of quick ? [30, 30] : [300, 150]) {
      const users = usersAt(exeunt.fresh('w'), count, 20);
      await exeunt.logIn(IDP, users);
      await exeuntRate(world, exeunt, users, 20);
      await exeunt.analyze();
    }
  }
  const figures = [];
  for (const fanOut of FAN_OUTS) {
    const seen = [];
    for (let round = 1; round <= rounds; round++) {
      const bareProcesses = [{ pid: world.bare.pid }, { pid: world.sink.pid }];
      const one = {
        bare: await measured(bareProcesses, deliveries, () => bareRate(world, deliveries)),
        provider: await measured([], deliveries, () => providerRate(world, deliveries / 2)),
      };
      for (const exeunt of world.exeunts) {
        const users = usersAt(exeunt.fresh('t'), deliveries / fanOut, fanOut);
        await exeunt.logIn(IDP, users);
        one[exeunt.backend] = await measured(world.processesOf(exeunt), deliveries, () => exeuntRate(world, exeunt, users, fanOut));
      }
      seen.push(one);
      const shown = Object.entries(one).map(([name, { rate }]) => `${name} ${Math.round(rate)}/s`);
      world.say(`throughput: fan-out ${fanOut}, round ${round}: ${shown.join(', ')}`);
    }
    for (const { backend } of world.exeunts) {
      figures.push(...ratiosOf(backend, fanOut, seen));
      if (canReadProcessorTime && fanOut === 20) figures.push(processorTimeOf(backend, fanOut, seen));
    }
  }
  return figures;
}

/** @returns the rate, and the processor time that the processes used for one delivery, in microseconds */
async function measured(processes, deliveries, measure) {
  const before = canReadProcessorTime ? processorMs(processes) : 0;
  const rate = await measure();
  return { rate, processorUs: canReadProcessorTime ? ((processorMs(processes) - before) * 1_000) / deliveries : 0 };
}

function ratiosOf(backend, fanOut, rounds) {
  const against = (rival, label, goal, acceptance) => ({
    name: `deliveries/${backend}/fan-out-${fanOut}/${rival}`,
    figure: `durable deliveries/s / ${label}, fan-out ${fanOut}, ${backend}`,
    // What the goals are about; the other fan-outs show where the cost lies.
    ...(fanOut === 20 ? { goal: { atLeast: goal }, acceptance: { atLeast: acceptance } } : {}),
    ratio: median(rounds.map((round) => round[backend].rate / round[rival].rate)),
    absolute: {
      exeuntPerSecond: median(rounds.map((round) => round[backend].rate)),
      rivalPerSecond: median(rounds.map((round) => round[rival].rate)),
    },
    shown: ({ exeuntPerSecond, rivalPerSecond }) => `${Math.round(exeuntPerSecond)} / ${Math.round(rivalPerSecond)} a second`,
    rounds: rounds.map((round) => round[backend].rate / round[rival].rate),
  });
  return [against('bare', 'bare loop', 0.6, 0.4), against('provider', 'node-oidc-provider', 2, 1)];
}

/** What the ratio could be at best on a machine whose cores are all busy: there a delivery costs its processor time. */
function processorTimeOf(backend, fanOut, rounds) {
  const ratios = rounds.map((round) => round.bare.processorUs / round[backend].processorUs);
  return {
    name: `processor-time/${backend}/fan-out-${fanOut}`,
    figure: `processor time of a delivery, bare loop / all of Exeunt and its database, fan-out ${fanOut}, ${backend}`,
    ratio: median(ratios),
    absolute: {
      exeuntMicroseconds: median(rounds.map((round) => round[backend].processorUs)),
      bareMicroseconds: median(rounds.map((round) => round.bare.processorUs)),
    },
    shown: ({ exeuntMicroseconds, bareMicroseconds }) =>
      `${Math.round(bareMicroseconds)} / ${Math.round(exeuntMicroseconds)} microseconds, sink included`,
    rounds: ratios,
  };
}

async function bareRate(world, posts) {
  return (posts * 1_000) / (await world.bare.call('run', world.origins.prompt, SERVICE_PROVIDERS, posts, CONCURRENCY));
}

async function providerRate(world, posts) {
  return (posts * 1_000) / (await world.provider.call('run', posts, CONCURRENCY));
}

/** From the first logout event that is posted to the last final row in the ledger; the sessions are there before. */
async function exeuntRate(world, exeunt, users, fanOut) {
  const deliveries = users.length * fanOut;
  const before = { sink: await world.sink.call('count'), ledger: await exeunt.outcomes(IDP) };
  const begin = nowMs();
  await exeunt.logOut(IDP, users, Math.min(EVENTS_A_REQUEST, Math.ceil(users.length / REQUESTS_AT_ONCE)), REQUESTS_AT_ONCE);
  const end = await exeunt.settled();
  const after = { sink: await world.sink.call('count'), ledger: await exeunt.outcomes(IDP) };
  const confirmed = after.ledger.confirmed - before.ledger.confirmed;
  if (confirmed !== deliveries || after.ledger.other !== 0 || after.sink - before.sink < deliveries) {
    throw new Error(
      `${deliveries} deliveries were due; ${confirmed} are confirmed, ${after.ledger.other} are not, the sink took ${after.sink - before.sink}`,
    );
  }
  return (deliveries * 1_000) / (end - begin);
}
