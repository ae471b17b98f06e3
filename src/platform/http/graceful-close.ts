import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ExeuntError } from '#domain';

/**
 * When the application closes: requests under way are finished and their connections closed after them; connections that carry no
 * request are closed at once, those that never sent one included (Node itself would wait for these until they time out); what still
 * comes gets 503.
 */
export function closeGracefully(fastify: FastifyInstance): void {
  /** Requests under way on each connection. */
  const connections = new Map<Socket, number>();
  let closing = false;

  fastify.server.on('connection', (socket: Socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    connections.set(socket, 0);
    socket.once('close', () => connections.delete(socket));
  });
  const count = (socket: Socket, change: 1 | -1) => {
    const before = connections.get(socket);
    if (before !== undefined) connections.set(socket, before + change);
  };

  fastify.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw;
    count(socket, 1);
    reply.raw.once('close', () => count(socket, -1));
    if (closing) throw new ExeuntError('unavailable', 'This server is shutting down; ask again, another one will answer');
  });
  fastify.addHook('onSend', async (_request, reply) => {
    if (closing) void reply.header('connection', 'close');
  });
  fastify.addHook('preClose', async () => {
    closing = true;
    for (const [socket, underWay] of connections) if (underWay === 0) socket.destroy();
  });
}
