/**
 * Is loaded into Exeunt's process (`node --import`) and says over IPC how long its event loop stood still while it was watched, and how much of that its thread itself worked: on a
 * busy machine it waits for a processor most of the time, or garbage collection does for its other threads. Nothing else of the process is touched: the histogram of
 * `node:perf_hooks` and a timer, both of 1 ms. A standstill is the time between two looks, so that it is at most 1 ms too long and never too short.
 */
import { openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

const EVERY_MS = 1;
const histogram = monitorEventLoopDelay({ resolution: EVERY_MS });
const worked = readerOfWork();
let watching;

process.on('message', ({ watch }) => {
  if (watch === 'begin') begin();
  if (watch === 'end') process.send({ watched: end() });
});
// The channel must not keep Exeunt alive when it stops.
process.channel?.unref();

function begin() {
  histogram.reset();
  histogram.enable();
  watching = { longestOwnMs: 0, longestGcMs: 0, cpu: process.cpuUsage() };
  watching.gc = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) watching.longestGcMs = Math.max(watching.longestGcMs, duration);
  });
  watching.gc.observe({ entryTypes: ['gc'] });
  let before = worked();
  watching.timer = setInterval(() => {
    const now = worked();
    watching.longestOwnMs = Math.max(watching.longestOwnMs, now - before);
    before = now;
  }, EVERY_MS);
}

/** Milliseconds. `longestOwnMs`: the longest that the thread of the event loop itself worked between two looks. */
function end() {
  const { timer, gc, longestOwnMs, longestGcMs } = watching;
  clearInterval(timer);
  gc.disconnect();
  histogram.disable();
  const { user, system } = process.cpuUsage(watching.cpu);
  return {
    longestMs: histogram.max / 1e6,
    p99Ms: histogram.percentile(99) / 1e6,
    longestOwnMs,
    longestGcMs,
    processorMs: (user + system) / 1_000,
  };
}

/** How long the thread of the event loop has worked: Linux counts it. Elsewhere the clock on the wall has to do. */
function readerOfWork() {
  let file;
  try {
    file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return () => Number(process.hrtime.bigint()) / 1e6;
  }
  const bytes = Buffer.alloc(128);
  return () => Number(bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0)).split(' ')[0]) / 1e6;
}
