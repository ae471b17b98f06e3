/**
 * Who may import whom (CONTRIBUTING.md, "Rules"). Run by `npm run layers` and by test/contract/layers.test.ts, which also
 * proves on planted violations that every rule below bites, and that the check reads the sources at all.
 */

/** For each folder of src/ the folders that it may import. Nothing calls backwards; what is not listed is forbidden. */
const MAY_IMPORT = {
  domain: [],
  protocol: ['domain'],
  platform: ['domain'],
  registry: ['platform', 'domain', 'protocol'],
  access: ['platform', 'domain', 'registry'],
  sessions: ['platform', 'domain'],
  ledger: ['platform', 'domain'],
  channels: ['platform', 'domain', 'protocol', 'registry'],
  dispatch: ['ledger', 'channels', 'registry', 'platform', 'domain'],
  coordinator: ['sessions', 'ledger', 'registry', 'dispatch', 'platform', 'domain'],
  intake: ['coordinator', 'sessions', 'ledger', 'registry', 'access', 'protocol', 'platform', 'domain'],
  reports: ['platform', 'domain', 'ledger'],
  ops: ['access', 'channels', 'coordinator', 'dispatch', 'ledger', 'protocol', 'registry', 'reports', 'sessions', 'platform', 'domain'],
};
const LAYERS = Object.keys(MAY_IMPORT);

/** Folders whose subfolders stand on their own, each with an index.ts: `#platform/egress`, `#protocol/oidc`. */
const SPLIT = ['platform', 'protocol', 'channels', 'intake'];

/** The entrance of a folder, or of a part of a split one. */
const INDEX = ['^src/[^/]+/index\\.ts$', `^src/(${SPLIT.join('|')})/[^/]+/index\\.ts$`];

const TEST = '\\.test\\.ts$';
/** Unit tests stand beside the source and may reach for more than it: the rules are about what ships. */
const shipped = (path) => ({ path, pathNot: TEST });

/** Judged only by what is in them: computing on bytes and text, no clock of the machine, no file, no socket. */
const PURE_BUILTINS = '^(node:)?(crypto|buffer|util|url|string_decoder|zlib|assert|querystring)$';
/** Not net, which also tells whether a text is an IP address: eslint.config.mjs looks at the names that are imported from it. */
const SOCKET_BUILTINS = '^(node:)?(http|https|http2|tls|dgram|dns|dns/promises)$';

const layerRules = LAYERS.map((layer) => ({
  name: `layer-${layer}`,
  comment: `src/${layer} may import ${MAY_IMPORT[layer].length === 0 ? 'nothing of ours' : MAY_IMPORT[layer].join(', ')}.`,
  severity: 'error',
  from: shipped(`^src/${layer}/`),
  to: { path: '^src/', pathNot: [layer, ...MAY_IMPORT[layer]].map((allowed) => `^src/${allowed}/`) },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'known-layer',
      comment: 'A new folder of src/ gets its place in MAY_IMPORT first; otherwise no rule would hold it.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: LAYERS.map((layer) => `^src/${layer}/`) },
      to: {},
    },
    {
      name: 'nobody-imports-the-root',
      comment: 'Files directly in src/ compose the program. Whoever imports them turns the flow around.',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'through-the-index',
      comment: "Another folder is entered by its index.ts only (`#name`): what the index does not export is the folder's own.",
      severity: 'error',
      from: shipped('^src/([^/]+)/'),
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', ...INDEX] },
    },
    {
      name: 'parts-through-the-index',
      comment: 'The parts of a split folder know each other by index.ts, too; the files beside them belong to all parts.',
      severity: 'error',
      from: shipped(`^src/(${SPLIT.join('|')})/([^/]+)/`),
      to: { path: '^src/$1/[^/]+/', pathNot: ['^src/$1/$2/', '^src/$1/[^/]+/index\\.ts$'] },
    },
    {
      name: 'parts-from-above',
      comment:
        'The files beside the parts of a split folder take the parts by their index.ts as everybody else does. Not so in intake: its parts are edges, met by its module only.',
      severity: 'error',
      from: shipped(`^src/(${SPLIT.filter((folder) => folder !== 'intake').join('|')})/[^/]+\\.ts$`),
      to: { path: '^src/$1/[^/]+/', pathNot: '^src/$1/[^/]+/index\\.ts$' },
    },
    {
      name: 'root-through-the-index',
      comment: 'The composition root, too, takes what the folders offer, not what they hide.',
      severity: 'error',
      from: shipped('^src/[^/]+\\.ts$'),
      to: { path: '^src/[^/]+/', pathNot: INDEX },
    },
    {
      name: 'channels-apart',
      comment: 'One channel never leans on another: each must be removable by deleting its folder.',
      severity: 'error',
      from: shipped('^src/channels/([^/]+)/'),
      to: { path: '^src/channels/[^/]+/', pathNot: '^src/channels/$1/' },
    },
    {
      name: 'domain-no-package',
      comment: 'The domain is plain TypeScript: no framework, no package, no I/O.',
      severity: 'error',
      from: shipped('^src/domain/'),
      to: { path: 'node_modules/' },
    },
    {
      name: 'protocol-no-framework',
      comment: 'The protocols compute: JOSE and XML libraries are welcome, whatever drives, stores, queues or sends is not.',
      severity: 'error',
      from: shipped('^src/protocol/'),
      to: {
        path: 'node_modules/(@nestjs|@fastify|fastify|typeorm|pg|bullmq|ioredis|undici|openid-client|pino|prom-client|rxjs|reflect-metadata)(/|$)',
      },
    },
    {
      name: 'pure-builtins',
      comment: 'domain and protocol do no I/O: of Node they use what computes.',
      severity: 'error',
      from: shipped('^src/(domain|protocol)/'),
      to: { dependencyTypes: ['core'], pathNot: PURE_BUILTINS },
    },
    {
      name: 'one-door-out',
      comment:
        'Only platform/egress opens outbound sockets, behind the address guard; platform/http listens; the embedded Postgres looks for a free port.',
      severity: 'error',
      from: { path: '^src/', pathNot: [TEST, '^src/platform/(egress|http|database/embedded)/'] },
      to: { path: [SOCKET_BUILTINS, 'node_modules/undici/'] },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-test-in-src',
      comment: 'What ships leans on no test file and on nothing under test/.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: [TEST, '^test/'] },
    },
    {
      name: 'no-dev-dependency',
      comment: 'An image without devDependencies must run.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
    },
    {
      name: 'no-undeclared-package',
      comment: 'What is imported is in package.json; a package that only another one brings may go at any update.',
      severity: 'error',
      from: shipped('^src/'),
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      comment: 'An import that cannot be resolved escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-orphan',
      comment: 'A source that nobody imports and that imports nobody is left over.',
      severity: 'error',
      from: { orphan: true, path: '^src/' },
      to: {},
    },
    {
      name: 'reached-from-main',
      comment: 'Every source that ships is reached from main.ts; what only tests reach is no part of the product.',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: TEST, reachable: false },
    },
  ],
  options: {
    // The TypeScript parser reads no module at all under a TypeScript that it does not know, and passes. swc reads every import,
    // those of types included.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    webpackConfig: { fileName: require.resolve('./layers-resolve.cjs') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
