import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Agent, request as send } from 'undici';

/** A request that went past, and its answer. */
export interface Passage {
  method: string;
  /** With its query. */
  path: string;
  body: string;
  status: number;
  answer: string;
}

/** A wire between two parties that can be listened to and cut, and on which TLS begins or ends. Nothing is changed on it. */
export interface Wire {
  /** Where it begins: the port of 127.0.0.1. */
  port: number;
  /** Where it ends from now on: an origin. */
  leadTo(origin: string): void;
  passed: Passage[];
  /** The next answer is lost: the receiver has acted, and the sender never hears of it. */
  loseNextAnswer(): void;
  close(): Promise<void>;
}

/** @param tls it is spoken to by TLS, with this certificate @param ca whom the certificates at its end must be from */
export async function startWire({ tls, ca }: { tls?: { cert: string; key: string }; ca?: string } = {}): Promise<Wire> {
  const passed: Passage[] = [];
  const agent = new Agent({ connect: { ca } });
  let target: string | undefined;
  let lose = false;
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
    // Of one hop alone.
    const { connection: _, 'transfer-encoding': __, expect: ___, 'content-length': ____, ...headers } = request.headers;
    const { method = 'GET', url: path = '/' } = request;
    const answer = await send(target! + path, { method, headers, dispatcher: agent, ...(body !== '' && { body }) });
    const text = await answer.body.text();
    passed.push({ method, path, body, status: answer.statusCode, answer: text });
    if (lose) {
      lose = false;
      request.socket.destroy();
      return;
    }
    const { connection: _1, 'transfer-encoding': _2, 'content-length': _3, ...kept } = answer.headers;
    response.writeHead(answer.statusCode, kept).end(text);
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    void pass(request, response).catch(() => request.socket.destroy());
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (origin) => void (target = origin),
    passed,
    loseNextAnswer: () => void (lose = true),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await agent.close();
    },
  };
}
