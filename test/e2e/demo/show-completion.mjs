import { waitUntil } from './wait-until.mjs';

const REPORT_WITHIN_MS = 30_000;
const GROUPS = ['sp', 'cause'];

/**
 * The completion report as a whole, and by application and cause, as soon as it counts the logout.
 * @param {import('./exeunt-api.mjs').ExeuntApi} exeunt
 * @returns {Promise<Record<string, object>>} the reports, by group
 */
export async function fetchCompletion(exeunt) {
  await waitUntil('the completion report to count the logout', REPORT_WITHIN_MS, async () => {
    const { total } = await exeunt.get('/v1/reports/completion');
    return total.logouts > 0 ? total : undefined;
  });
  const reports = await Promise.all(GROUPS.map((by) => exeunt.get(`/v1/reports/completion?by=${by}`)));
  return Object.fromEntries(GROUPS.map((by, i) => [by, reports[i]]));
}

/** @param {import('./print.mjs').Printer} print @param {Record<string, object>} reports as of {@link fetchCompletion} */
export function showCompletion(print, reports) {
  const { total, openLogouts, from, to } = reports[GROUPS[0]];
  print.line(`from ${from} to ${to}; logouts not final yet: ${openLogouts}`);
  print.line('');
  print.table(
    ['', 'final', 'complete', 'proven or promised', 'alive for: mean', 'p95', 'logout took: p50', 'p95', 'outcomes'],
    [
      rowOf('all logouts', total),
      ...GROUPS.flatMap((by) =>
        reports[by].items.map((item) => rowOf(by === 'sp' ? `deliveries to ${item.key}` : `${by} ${item.key}`, item)),
      ),
    ],
  );
  print.line('');
  print.check(total.completionRate === 1, 'the completion rate is 100 %', percent(total.completionRate));
}

function rowOf(name, figures) {
  const outcomes = Object.entries(figures.outcomes).filter(([, n]) => n > 0);
  const final = figures.logouts ?? outcomes.reduce((sum, [, n]) => sum + n, 0);
  return [
    name,
    String(final),
    percent(figures.completionRate),
    percent(figures.provenOrPromisedShare),
    seconds(figures.exposureSeconds.mean),
    seconds(figures.exposureSeconds.p95),
    seconds(figures.timeToLogoutSeconds?.p50),
    seconds(figures.timeToLogoutSeconds?.p95),
    outcomes.map(([outcome, n]) => `${n} ${outcome}`).join(', '),
  ];
}

/** Rounded down: less than all is never shown as 100 %. */
function percent(share) {
  return share === null ? '-' : `${Math.floor(share * 1000) / 10} %`;
}

function seconds(value) {
  return value === null || value === undefined ? '-' : `${value.toFixed(2)} s`;
}
