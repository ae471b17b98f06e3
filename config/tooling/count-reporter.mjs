import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Writes what config/tooling/test.mjs needs for its last lines: counts, and the tests that were left out, by name. */
export default class CountReporter {
  constructor({ rootDir }, { outputFile }) {
    this.rootDir = rootDir;
    this.outputFile = outputFile;
  }

  onRunComplete(_, results) {
    const leftOut = results.testResults.flatMap(({ testFilePath, skipped, testResults }) => {
      const file = relative(this.rootDir, testFilePath);
      if (skipped && testResults.length === 0) return [file];
      return testResults.filter(({ status }) => status === 'pending' || status === 'todo').map(({ fullName }) => `${file}: ${fullName}`);
    });
    const counts = {
      passed: results.numPassedTests,
      // A file that could not even be loaded has no tests to count.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      leftOut,
      interrupted: results.wasInterrupted === true,
    };
    writeFileSync(this.outputFile, JSON.stringify(counts));
  }
}
