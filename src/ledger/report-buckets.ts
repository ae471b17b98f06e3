/**
 * Times in the roll-ups are kept in logarithmic buckets, eight to a doubling: bucket b holds times up to 2^(b/8) - 1 ms.
 * A percentile read from them is within 9 % of the exact one. -1 holds what has no time.
 */
export const BUCKETS_PER_DOUBLING = 8;

/** SQL: the bucket of a number of milliseconds. */
export const TIME_BUCKET = (ms: string): string => `CEIL(${BUCKETS_PER_DOUBLING} * LN(GREATEST(${ms}, 0) + 1.0) / LN(2.0))::smallint`;

/** SQL: the hour, in UTC, to which a logout is counted: the one in which it was asked for. */
export const REPORT_HOUR = (at: string): string => `date_trunc('hour', ${at}, 'UTC')`;

/** The largest number of milliseconds that bucket holds. */
export function bucketLimitMs(bucket: number): number {
  return 2 ** (bucket / BUCKETS_PER_DOUBLING) - 1;
}
