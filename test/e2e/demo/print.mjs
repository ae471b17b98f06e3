/** What the demo says: one line a step, checks with their verdict, tables. */
export class Printer {
  failures = 0;

  heading(text) {
    console.log(`\n${text}\n${'-'.repeat(text.length)}`);
  }

  line(text) {
    console.log(`  ${text}`);
  }

  /** @param {boolean} held @param {string} promise what should be @param {string} seen what was seen */
  check(held, promise, seen) {
    if (!held) this.failures++;
    console.log(`  ${held ? 'ok  ' : 'FAIL'} ${promise}${seen ? ` (${seen})` : ''}`);
  }

  /** @param {string[]} head @param {string[][]} rows */
  table(head, rows) {
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
    const print = (cells) =>
      this.line(
        cells
          .map((cell, i) => cell.padEnd(widths[i]))
          .join('  ')
          .trimEnd(),
      );
    print(head);
    print(widths.map((width) => '-'.repeat(width)));
    rows.forEach(print);
  }
}
