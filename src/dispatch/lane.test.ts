import { Breaker } from './breaker.js';
import { Lane } from './lane.js';
import { Lanes } from './lanes.js';

const SETTINGS = { concurrency: 2, perSecond: null, queueLimit: 3, breakerFailures: 3, breakerOpenMs: 1_000 };

/** Work that ends when the test says so. */
function work(): { run: () => Promise<void>; end: () => void; begun: () => boolean } {
  let end!: () => void;
  let begun = false;
  const done = new Promise<void>((resolve) => (end = resolve));
  return { run: () => ((begun = true), done), end, begun: () => begun };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a lane', () => {
  it('runs no more at once than its SP bears, in the order of arrival', async () => {
    const lane = new Lane(SETTINGS);
    const works = Array.from({ length: 5 }, work);
    const runs = works.map((one) => lane.run(one.run));
    await settle();
    expect(works.map((one) => one.begun())).toEqual([true, true, false, false, false]);
    expect([lane.inFlight, lane.waiting, lane.isFull]).toEqual([2, 3, true]);
    works[1]!.end();
    await settle();
    expect(works.map((one) => one.begun())).toEqual([true, true, true, false, false]);
    expect(lane.isFull).toBe(false);
    for (const one of works) one.end();
    await Promise.all(runs);
    expect([lane.inFlight, lane.waiting]).toEqual([0, 0]);
  });

  it('gives a freed place to who waits, not to a newcomer', async () => {
    const lane = new Lane({ ...SETTINGS, concurrency: 1 });
    const [first, second, third] = [work(), work(), work()];
    const runs = [lane.run(first.run), lane.run(second.run)];
    first.end();
    runs.push(runs[0]!.then(() => lane.run(third.run)));
    await settle();
    expect([second.begun(), third.begun(), lane.inFlight]).toEqual([true, false, 1]);
    second.end();
    third.end();
    await Promise.all(runs);
  });

  it('frees its place when the work throws', async () => {
    const lane = new Lane({ ...SETTINGS, concurrency: 1 });
    await expect(lane.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(lane.inFlight).toBe(0);
  });

  it('keeps the rate of its SP', async () => {
    const lane = new Lane({ ...SETTINGS, concurrency: 10, perSecond: 50 });
    const begins: number[] = [];
    await Promise.all(Array.from({ length: 4 }, () => lane.run(async () => void begins.push(performance.now()))));
    // Three intervals of 20 ms; a timer never fires early by more than a millisecond.
    expect(begins.at(-1)! - begins[0]!).toBeGreaterThanOrEqual(57);
  });
});

describe('a lane that was full', () => {
  const LIMITS = { ...SETTINGS, concurrency: 1, queueLimit: 4 };

  it('fetches as many as it has room for, once half of those that waited are gone, and not before', async () => {
    const lane = new Lane(LIMITS);
    const works = Array.from({ length: 5 }, work);
    const runs = works.map((one) => lane.run(one.run));
    await settle();
    lane.turnAway();
    expect(lane.takeRoom(1_000)).toBe(0);
    works[0]!.end();
    await settle();
    expect(lane.takeRoom(1_000)).toBe(0);
    works[1]!.end();
    await settle();
    expect(lane.takeRoom(1_000)).toBe(2);
    for (const one of works) one.end();
    await Promise.all(runs);
  });

  it('fetches again only after some were found, and after a while', () => {
    const lane = new Lane(LIMITS);
    // A new lane asks, for those that the worker before it has turned away.
    expect(lane.takeRoom(1_000)).toBe(4);
    expect(lane.takeRoom(5_000)).toBe(0);
    lane.turnAway();
    expect(lane.takeRoom(1_024)).toBe(0);
    expect(lane.takeRoom(1_025)).toBe(4);
  });
});

describe('a breaker', () => {
  it('opens after so many failures in a row, lets one probe through after its time, and closes with a success', () => {
    const breaker = new Breaker(3, 1_000);
    breaker.failed(0);
    breaker.failed(0);
    expect(breaker.admits(0)).toBe('open-lane');
    breaker.failed(0);
    expect(breaker.admits(999)).toBe('blocked');
    expect(breaker.admits(1_000)).toBe('probe');
    breaker.probe(60_000);
    expect(breaker.admits(1_001)).toBe('blocked');
    expect(breaker.succeeded()).toBe(true);
    expect(breaker.admits(1_002)).toBe('open-lane');
    expect(breaker.succeeded()).toBe(false);
  });

  it('stays open when the probe fails, and lets another through when a probe never reports', () => {
    const breaker = new Breaker(1, 1_000);
    breaker.failed(0);
    breaker.probe(5_000);
    breaker.failed(1_500);
    expect(breaker.admits(2_499)).toBe('blocked');
    expect(breaker.admits(2_500)).toBe('probe');
    breaker.probe(9_000);
    expect(breaker.admits(8_999)).toBe('blocked');
    expect(breaker.admits(9_000)).toBe('probe');
  });

  it('a success between failures starts the count anew', () => {
    const breaker = new Breaker(2, 1_000);
    breaker.failed(0);
    breaker.succeeded();
    breaker.failed(0);
    expect(breaker.admits(0)).toBe('open-lane');
  });
});

describe('the lanes of a worker', () => {
  it('name the SPs for which nothing may be leased, and no others', () => {
    const lanes = new Lanes({ laneConcurrency: 1, laneQueueFactor: 1, breakerFailures: 1, breakerOpenMs: 1_000 });
    const sp = (id: string) => ({ id, maxConcurrency: null, maxPerSecond: null });
    lanes.of(sp('fine'));
    lanes.of(sp('broken')).breaker.failed(0);
    const busy = lanes.of(sp('busy'));
    const [one, two] = [work(), work()];
    void busy.run(one.run);
    void busy.run(two.run);
    expect(lanes.blocked(500).sort()).toEqual(['broken', 'busy']);
    expect(lanes.blocked(1_000)).toEqual(['busy']);
    one.end();
    two.end();
  });

  it('are crowded when nearly all places to wait are taken, and who waits for room goes on as soon as there is some', async () => {
    const lanes = new Lanes({ laneConcurrency: 1, laneQueueFactor: 4, breakerFailures: 1, breakerOpenMs: 1_000 });
    const sp = (id: string) => ({ id, maxConcurrency: null, maxPerSecond: null });
    const [slow, other] = [lanes.of(sp('slow')), lanes.of(sp('other'))];
    const fill = (lane: Lane, count: number) => Array.from({ length: count }, work).map((one) => ({ ...one, over: lane.run(one.run) }));
    const works = fill(slow, 5);
    // One full lane of two: the other's deliveries do not wait for it.
    await lanes.untilRoom(60_000);
    works.push(...fill(other, 4));
    let goesOn = false;
    const waiting = lanes.untilRoom(60_000).then(() => (goesOn = true));
    await settle();
    expect([slow.waiting, other.waiting, goesOn]).toEqual([4, 3, false]);
    works.at(-4)!.end();
    await waiting;
    expect(other.waiting).toBe(2);
    works.forEach((one) => one.end());
    await Promise.all(works.map((one) => one.over));
  });

  it('are waited for no longer than asked', async () => {
    const lanes = new Lanes({ laneConcurrency: 1, laneQueueFactor: 1, breakerFailures: 1, breakerOpenMs: 1_000 });
    const lane = lanes.of({ id: 'hangs', maxConcurrency: null, maxPerSecond: null });
    const works = [work(), work()];
    const runs = works.map((one) => lane.run(one.run));
    await lanes.untilRoom(20);
    expect(lane.waiting).toBe(1);
    works.forEach((one) => one.end());
    await Promise.all(runs);
  });
});
