/** Outcomes that are not final yet. */
export const OPEN_OUTCOMES = ['pending', 'retrying', 'awaiting-browser'] as const;
/** Outcomes that a delivery keeps, unless an operator replays it. */
export const FINAL_OUTCOMES = ['confirmed', 'accepted', 'attempted', 'partial', 'refused', 'unreachable', 'skipped', 'expired'] as const;
export const OUTCOMES = [...FINAL_OUTCOMES, ...OPEN_OUTCOMES] as const;

export type OpenOutcome = (typeof OPEN_OUTCOMES)[number];
export type FinalOutcome = (typeof FINAL_OUTCOMES)[number];
/** What became of one delivery: a closed set. A weaker one is never shown as a stronger one. */
export type Outcome = OpenOutcome | FinalOutcome;

/** How much an outcome proves. */
export type Grade = 'proven' | 'promised' | 'unproven' | 'partial' | 'failed' | 'open';

/** The evidence that an outcome carries; the verdict of a logout is built from these. */
export function gradeOf(outcome: Outcome): Grade {
  switch (outcome) {
    case 'confirmed':
    case 'expired':
      return 'proven';
    case 'accepted':
      return 'promised';
    case 'attempted':
      return 'unproven';
    case 'partial':
      return 'partial';
    case 'refused':
    case 'unreachable':
    case 'skipped':
      return 'failed';
    case 'pending':
    case 'retrying':
    case 'awaiting-browser':
      return 'open';
  }
}

export function isOpen(outcome: Outcome): outcome is OpenOutcome {
  return gradeOf(outcome) === 'open';
}
