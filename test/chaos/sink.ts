/**
 * Service providers that take logout tokens and remember every one of them: a process of its own, which nobody kills.
 * Prints `ready {port}`.
 *
 * POST /sp/{sp}     a logout token; answered as the moods say
 * PUT  /moods       {@link Moods}
 * GET  /count       how many tokens came
 * GET  /log         all of them, one JSON line each
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Moods, Token } from './sink-process.js';

const log: Token[] = [];
let moods: Moods = { failing: 0, slow: 0, slowMs: 0, hanging: [] };
let released = new AbortController();

/** mulberry32: the same faults in the same order, run after run. */
let state = 20_260_101;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

const server = createServer((request, response) => {
  const { method, url = '/' } = request;
  if (method === 'POST' && url.startsWith('/sp/')) void readBody(request).then((body) => takeToken(url.slice(4), body, response));
  else if (method === 'PUT' && url === '/moods') void readBody(request).then((body) => changeMoods(body, response));
  else if (url === '/count') response.end(String(log.length));
  else if (url === '/log') sendLog(response);
  else response.writeHead(404).end();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`));

function takeToken(sp: string, body: string, response: ServerResponse): void {
  const jwt = new URLSearchParams(body).get('logout_token') ?? '';
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as { jti: string; sid: string };
  const status = random() < moods.failing ? 500 : 200;
  const waitMs = random() < moods.slow ? moods.slowMs * (0.5 + random()) : 0;
  const token: Token = { sp, jti: claims.jti, sid: claims.sid, status, answered: false };
  log.push(token);
  const answer = () => {
    if (response.destroyed) return;
    // What is not written to the socket was not answered; what was written may still not have been read.
    response.writeHead(status, { 'cache-control': 'no-store' }).end(() => (token.answered = true));
  };
  if (moods.hanging.includes(sp)) released.signal.addEventListener('abort', answer);
  else if (waitMs > 0) setTimeout(answer, waitMs);
  else answer();
}

function changeMoods(body: string, response: ServerResponse): void {
  const before = released;
  moods = JSON.parse(body) as Moods;
  released = new AbortController();
  before.abort();
  response.end();
}

function sendLog(response: ServerResponse): void {
  response.setHeader('content-type', 'application/x-ndjson');
  for (const token of log) response.write(`${JSON.stringify(token)}\n`);
  response.end();
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
