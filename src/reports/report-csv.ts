import { stringify } from 'csv-stringify/sync';
import { FINAL_OUTCOMES, VERDICTS } from '#domain';
import type { CompletionReport } from './completion-report.js';

/** The report as CSV (RFC 4180): a row a group, then one for the total. What is unknown is empty. */
export function buildReportCsv(report: CompletionReport): string {
  const verdicts = VERDICTS.filter((verdict) => verdict !== 'pending');
  const header = [
    report.by ?? 'total',
    'basis',
    'logouts',
    'completionRate',
    'provenOrPromisedShare',
    'timeToLogoutP50Seconds',
    'timeToLogoutP95Seconds',
    'timeToLogoutP99Seconds',
    'exposureMeanSeconds',
    'exposureP50Seconds',
    'exposureP95Seconds',
    'exposureP99Seconds',
    ...verdicts.map((verdict) => `verdict.${verdict}`),
    ...FINAL_OUTCOMES.map((outcome) => `outcome.${outcome}`),
  ];
  const rows = [...report.items, { key: 'total', ...report.total }].map((figures) => [
    figures.key,
    figures.basis,
    figures.logouts,
    figures.completionRate,
    figures.provenOrPromisedShare,
    figures.timeToLogoutSeconds?.p50,
    figures.timeToLogoutSeconds?.p95,
    figures.timeToLogoutSeconds?.p99,
    figures.exposureSeconds.mean,
    figures.exposureSeconds.p50,
    figures.exposureSeconds.p95,
    figures.exposureSeconds.p99,
    ...verdicts.map((verdict) => figures.verdicts?.[verdict]),
    ...FINAL_OUTCOMES.map((outcome) => figures.outcomes[outcome]),
  ]);
  // `escape_formulas`: a cell that a spreadsheet would run as a formula is shown as text.
  return stringify([header, ...rows], { escape_formulas: true });
}
