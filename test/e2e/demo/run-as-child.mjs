import { createServer } from 'node:http';

/**
 * The life of a program of the demo: gets its settings from the demo over IPC, serves on 127.0.0.1, says that it does,
 * stops on SIGTERM, and ends when the demo is gone, however that came.
 *
 * @param {(settings: object, tell: (message: object) => void) => import('node:http').RequestListener | Promise<import('node:http').RequestListener>} build
 */
export function runAsChild(build) {
  process.once('message', async (settings) => {
    const server = createServer(await build(settings, (message) => process.send?.(message)));
    server.listen(settings.port, '127.0.0.1', () => process.send({ ready: true }));
    process.once('SIGTERM', () => {
      server.close(() => process.exit(0));
      server.closeAllConnections();
    });
  });
  process.once('disconnect', () => process.exit(1));
}
