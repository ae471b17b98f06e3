/**
 * A logout as the ledger has it: each delivery and each attempt of it.
 * @param {import('./print.mjs').Printer} print @param {object} logout the answer of `GET /v1/logouts/{id}`
 */
export function showLogout(print, logout) {
  const since = (time) => `+${((Date.parse(time) - Date.parse(logout.requestedAt)) / 1000).toFixed(2)} s`;
  print.line(`logout ${logout.id}: verdict ${logout.verdict}, cause ${logout.cause}`);
  const ended = logout.completedAt ? `completed ${since(logout.completedAt)}` : 'not complete yet';
  print.line(`requested ${logout.requestedAt}, ${ended}`);
  print.line('');
  print.table(
    ['told', 'channel', 'outcome', 'alive for', 'attempt', 'at', 'took', 'status', 'result'],
    logout.deliveries.flatMap((delivery) => deliveryRows(delivery, since)),
  );
}

function deliveryRows(delivery, since) {
  const alive = delivery.exposureSeconds === undefined ? '' : `${delivery.exposureSeconds.toFixed(2)} s`;
  const first = [delivery.sp, delivery.channel ?? '', delivery.outcome, alive];
  const attempts = delivery.attempts.map((attempt) => [
    String(attempt.n),
    since(attempt.startedAt),
    attempt.durationMs === undefined ? '' : `${Math.round(attempt.durationMs)} ms`,
    attempt.httpStatus === undefined ? '' : String(attempt.httpStatus),
    describe(attempt),
  ]);
  if (delivery.nextAttemptAt) attempts.push(['next', since(delivery.nextAttemptAt), '', '', '']);
  if (attempts.length === 0) attempts.push(['none', '', '', '', delivery.detail ?? '']);
  return attempts.map((attempt, i) => [...(i === 0 ? first : ['', '', '', '']), ...attempt]);
}

function describe({ result, error }) {
  const reason = typeof error === 'object' && error !== null ? (error.message ?? error.code ?? JSON.stringify(error)) : error;
  return [result ?? 'under way', reason].filter(Boolean).join(': ');
}
