/** @param {readonly number[]} values in any order, at least one @param {number} share from 0 to 1 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Milliseconds of a clock that all processes of one machine share. */
export function nowMs() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Runs the works at most `limit` at a time. @param {readonly (() => Promise<unknown>)[]} works */
export async function atMost(limit, works) {
  let next = 0;
  const lane = async () => {
    while (next < works.length) await works[next++]();
  };
  await Promise.all(Array.from({ length: Math.min(limit, works.length) }, lane));
}
