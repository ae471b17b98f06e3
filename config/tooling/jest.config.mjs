const counts = process.env.EXEUNT_TEST_COUNTS;

/** Jest in ESM over swc: `#name` is the folder's index, as package.json `imports` says of the build. */
export default {
  rootDir: '../..',
  testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    // A thread is started from the sources as any process is.
    '/signature-thread-entry\\.js$': '<rootDir>/test/support/signature-thread-entry.ts',
    '^#(.*)$': '<rootDir>/src/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // Copies of package.json and of test files there are not ours to look at.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/\\.exeunt/'],
  // `npm test` wants the counts; a bare `npx jest` does not.
  reporters: counts ? ['default', ['<rootDir>/config/tooling/count-reporter.mjs', { outputFile: counts }]] : ['default'],
  testTimeout: 30000,
  maxWorkers: 2,
};
