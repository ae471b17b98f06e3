/**
 * How dependency-cruiser resolves our own `#name` imports. package.json maps them to the build (`./dist/<name>/index.js`);
 * the rules speak of sources, so here they lead to `src/<name>/index.ts` of the folder the check is run in.
 * The shape is the `resolve` part of a webpack configuration, the only one in which dependency-cruiser takes an alias.
 */
const { resolve } = require('node:path');

module.exports = { resolve: { alias: { '#*': resolve('src/*/index.ts') } } };
