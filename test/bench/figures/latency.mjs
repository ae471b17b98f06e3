import { setTimeout as delay } from 'node:timers/promises';
import { median, nowMs, percentile } from '../statistics.mjs';
import { IDP, usersAt } from '../world.mjs';

const FAN_OUT = 20;

/** One logout at a time on an idle machine: from its acceptance until the last of 20 service providers was told, against the same posts bare. */
export async function measureLatency(world) {
  const { quick, rounds } = world.options;
  const samples = quick ? 15 : 100;
  world.say('latency: warming up');
  for (const exeunt of world.exeunts) {
    await exeuntTimes(world, exeunt, quick ? 10 : 40);
    await exeunt.analyze();
    await exeuntTimes(world, exeunt, 10);
  }
  await bareTimes(world, quick ? 10 : 40);
  const seen = [];
  for (let round = 1; round <= rounds; round++) {
    const one = { bare: await bareTimes(world, samples) };
    for (const exeunt of world.exeunts) one[exeunt.backend] = await exeuntTimes(world, exeunt, samples);
    seen.push(one);
    world.say(
      `latency: round ${round}: ${Object.entries(one)
        .map(([name, times]) => `${name} p50 ${percentile(of(times), 0.5).toFixed(1)} p99 ${percentile(of(times), 0.99).toFixed(1)} ms`)
        .join(', ')}`,
    );
  }
  return world.exeunts.flatMap(({ backend }) => [figureOf(backend, seen, 0.99, { atMost: 3 }), figureOf(backend, seen, 0.5)]);
}

const of = (times) => times.map((time) => time.accepted ?? time);

function figureOf(backend, seen, share, goal) {
  const at = (times) => percentile(times, share);
  const p = `p${share * 100}`;
  return {
    name: `latency/${backend}/${p}`,
    figure: `accepted to last of ${FAN_OUT} told, idle, ${p} / same posts bare, ${backend}`,
    ...(goal ? { goal } : {}),
    ratio: median(seen.map((round) => at(of(round[backend])) / at(round.bare))),
    absolute: {
      acceptedToLastMs: median(seen.map((round) => at(of(round[backend])))),
      postedToLastMs: median(seen.map((round) => at(round[backend].map((time) => time.posted)))),
      bareMs: median(seen.map((round) => at(round.bare))),
    },
    shown: ({ acceptedToLastMs, postedToLastMs, bareMs }) =>
      `${acceptedToLastMs.toFixed(1)} / ${bareMs.toFixed(1)} ms; ${postedToLastMs.toFixed(1)} ms from the event's post`,
    rounds: seen.map((round) => at(of(round[backend])) / at(round.bare)),
  };
}

async function bareTimes(world, samples) {
  const begins = new Map();
  await world.sink.call('record');
  for (let n = 0; n < samples; n++) {
    const sid = `lone-${n}`;
    begins.set(
      sid,
      await world.bare.call(
        'tellAll',
        world.origins.prompt,
        Array.from({ length: FAN_OUT }, (_, sp) => sp),
        sid,
      ),
    );
    await delay(5);
  }
  const last = lastOf(await world.sink.call('recorded'));
  await world.sink.call('stopRecording');
  return [...begins].map(([sid, begin]) => last.get(sid) - begin);
}

async function exeuntTimes(world, exeunt, samples) {
  const users = usersAt(exeunt.fresh('l'), samples, FAN_OUT);
  await exeunt.logIn(IDP, users);
  await world.sink.call('record');
  const marks = [];
  for (const user of users) {
    const posted = nowMs();
    await exeunt.logOut(IDP, [user], 1, 1);
    marks.push({ sid: user.sid, posted, accepted: nowMs() });
    await exeunt.settled();
    await delay(5);
  }
  const last = lastOf(await world.sink.call('recorded'));
  await world.sink.call('stopRecording');
  // Deliveries begin with the commit, before the answer has arrived: a time of less than nothing is nothing.
  return marks.map(({ sid, posted, accepted }) => ({ posted: last.get(sid) - posted, accepted: Math.max(0.1, last.get(sid) - accepted) }));
}

function lastOf(rows) {
  const last = new Map();
  for (const [sid, , at] of rows) last.set(sid, Math.max(at, last.get(sid) ?? 0));
  return last;
}
