import { parseOptions, USAGE } from './options.js';
import { fuzzSamlVerifier } from './saml-verifier.js';
import type { FuzzReport } from './saml-verifier.js';

/** `npm run fuzz`: messages changed by chance before the verifier of SAML messages. @returns the exit code: 0 when nothing was found. */
export async function runFuzz(argv: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(argv);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  console.log(`Seed ${options.seed}, ${options.minutes} minutes`);
  const report = await fuzzSamlVerifier(options, (soFar) => console.log(lineOf(soFar)));
  console.log(lineOf(report));
  const refusals = [...report.refusals].sort((a, b) => b[1] - a[1]).map(([code, n]) => `${code} ${n}`);
  console.log(`Refusals: ${refusals.join(', ')}`);
  for (const { message, ...finding } of report.findings) console.error(`${JSON.stringify(finding, null, 2)}\n${JSON.stringify(message)}`);
  return report.findings.length === 0 ? 0 : 1;
}

function lineOf({ executions, harmless, slowestMs, findings }: FuzzReport): string {
  const count = (what: string) => findings.filter((one) => one.what === what).length;
  const found = `${count('crash')} crashes, ${count('wrong acceptance')} wrong acceptances, ${count('hang')} hangs`;
  return `${executions} messages, ${harmless} of them as good as the original; ${found}; the slowest took ${slowestMs.toFixed(0)} ms`;
}
