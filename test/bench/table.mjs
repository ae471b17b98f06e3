/** @typedef {{ atLeast?: number, atMost?: number }} Bound */

/** `met`: the goal; `accepted`: not the goal, but what is asked of a release; `missed`: neither; `shown`: has no goal. */
export function verdictOf({ ratio, goal, acceptance }) {
  if (goal === undefined) return 'shown';
  if (keeps(ratio, goal)) return 'met';
  return acceptance !== undefined && keeps(ratio, acceptance) ? 'accepted' : 'missed';
}

function keeps(ratio, { atLeast, atMost }) {
  return (atLeast === undefined || ratio >= atLeast) && (atMost === undefined || ratio <= atMost);
}

/** One plain table, for a terminal of any width. */
export function printTable(figures) {
  const rows = figures.map((figure) => [figure.figure, goalText(figure), number(figure), figure.shown(figure.absolute), verdictOf(figure)]);
  const head = ['figure', 'goal', 'measured', 'absolute', 'verdict'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function goalText({ goal, acceptance }) {
  if (goal === undefined) return '';
  const accepted = acceptance === undefined ? '' : ` (${acceptance.atLeast})`;
  return goal.atLeast === undefined ? `<= ${goal.atMost}` : `>= ${goal.atLeast}${accepted}`;
}

function number({ ratio, isAbsolute }) {
  return isAbsolute ? String(Math.round(ratio)) : ratio.toFixed(2);
}
