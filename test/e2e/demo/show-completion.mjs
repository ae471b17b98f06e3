/** TBD */
export async function fetchCompletion(exeunt) {
  return exeunt.get('/v1/reports/completion');
}
export function showCompletion(print, report) {
  print.line(JSON.stringify(report, null, 2));
}
