import tseslint from 'typescript-eslint';

/** Modules that open a socket. What goes out, goes through the egress guard; what comes in, comes through platform/http. */
const SOCKETS = ['undici', 'http', 'https', 'http2', 'net', 'tls', 'dgram', 'dns', 'dns/promises'].flatMap((name) =>
  name === 'undici' ? [name] : [name, `node:${name}`],
);
const ONE_DOOR = 'Outbound traffic goes through #platform/egress, which judges the address that is really called.';
/** What `net` has for addresses opens nothing, and neither does a type. */
const ADDRESSES = ['isIP', 'isIPv4', 'isIPv6', 'BlockList', 'SocketAddress'];
const socketImports = SOCKETS.map((name) => ({
  name,
  message: ONE_DOOR,
  allowTypeImports: true,
  ...(/^(node:)?net$/.test(name) ? { allowImportNames: ADDRESSES } : {}),
}));

const environment = {
  object: 'process',
  property: 'env',
  message: 'Only src/platform/config reads the environment: take the value from the validated configuration.',
};
const environmentImport = {
  regex: '^(node:)?process$',
  importNames: ['env', 'default'],
  message: environment.message,
};

/** A forgotten `.only` makes the rest of a file vanish from the suite without a word. */
const noOnly = {
  selector: "CallExpression[callee.property.name='only'][callee.object.name=/^(it|test|describe)$/]",
  message: 'A committed .only silently leaves out the other tests of the file.',
};

export default tseslint.config(
  { ignores: ['**/node_modules/**', 'dist/**', 'coverage/**', '.exeunt/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        // The one project that holds the sources and the tests; the build's own leaves the tests out.
        project: 'config/tooling/tsconfig.check.json',
        tsconfigRootDir: new URL('../..', import.meta.url).pathname,
        // Nest finds what to inject by the emitted metadata, which needs imports of values. With these two the rule about
        // type imports leaves every file with decorators alone.
        emitDecoratorMetadata: true,
        experimentalDecorators: true,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      // A `default` counts: the unions of libraries grow, and are met in part on purpose. Over our own unions, leave it out.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // TypeORM and Nest take classes as `Function`.
      '@typescript-eslint/no-unsafe-function-type': 'off',
      // An implementation of an asynchronous port need not wait for anything itself.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-syntax': ['error', noOnly],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/**/*.test.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', environment],
      'no-restricted-globals': [
        'error',
        ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'].map((name) => ({ name, message: ONE_DOOR })),
      ],
      '@typescript-eslint/no-restricted-imports': ['error', { paths: socketImports, patterns: [environmentImport] }],
    },
  },
  {
    // The composition root speaks to a person at a terminal before there is a logger, and when there is none any more.
    files: ['src/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // The one reader of the environment.
    files: ['src/platform/config/**/*.ts'],
    rules: {
      'no-restricted-properties': 'off',
      '@typescript-eslint/no-restricted-imports': ['error', { paths: socketImports }],
    },
  },
  {
    // The one door out, the server that listens, and the embedded Postgres, which looks for a free port.
    files: ['src/platform/egress/**/*.ts', 'src/platform/http/**/*.ts', 'src/platform/database/embedded/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [environmentImport] }], 'no-restricted-globals': 'off' },
  },
  {
    // Tests look at foreign answers (parsed JSON, rows, HTTP bodies) whose shape is what they assert.
    files: ['src/**/*.test.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
