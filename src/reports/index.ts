export * from './completion-report.js';
export * from './fold-deltas.js';
export * from './report-csv.js';
