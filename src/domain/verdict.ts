import type { Grade } from './outcome.js';

export const VERDICTS = ['complete', 'promised', 'unproven', 'partial', 'failed', 'pending'] as const;
/** What may be said of a whole logout. `pending` until its last delivery is final. */
export type Verdict = (typeof VERDICTS)[number];

/**
 * The verdict of a logout from the grades of its deliveries: as strong as its weakest delivery.
 * `failed` when nothing was told to anybody, `partial` when something failed beside something that did not.
 * A logout without deliveries is `complete`: there was nobody to tell.
 */
export function verdictOf(counts: Readonly<Record<Grade, number>>): Verdict {
  if (counts.open > 0) return 'pending';
  const bad = counts.failed + counts.partial;
  const good = counts.proven + counts.promised + counts.unproven;
  if (counts.failed > 0 && good === 0 && counts.partial === 0) return 'failed';
  if (bad > 0) return 'partial';
  if (counts.unproven > 0) return 'unproven';
  if (counts.promised > 0) return 'promised';
  return 'complete';
}
