import type { Clock } from '#domain';
import type { Database } from '#platform/database';
import type { Metrics } from '#platform/telemetry';

/** Reads the gauges of open logouts when metrics are asked for. */
export function watchOpenLogouts(metrics: Metrics, database: Database, clock: Clock): void {
  metrics.readBeforeScrape(async () => {
    const [open] = await database.query<{ n: number; oldest: Date | null }>(
      'SELECT count(*)::int AS n, min(requested_at) AS oldest FROM logouts WHERE completed_at IS NULL',
    );
    metrics.openLogoutsAre(open!.n, open!.oldest === null ? 0 : Math.max(0, (clock.now().getTime() - open!.oldest.getTime()) / 1_000));
  });
}
