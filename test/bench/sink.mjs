/**
 * All service providers of a bench in one process: answers 200 at once and counts. A second address can be told to take requests and never answer.
 */
import { createServer } from 'node:http';
import { answerCalls } from './children.mjs';
import { nowMs } from './statistics.mjs';

let taken = 0;
/** When which session was told to which path, while somebody wants to know. */
let told = null;
let hanging = false;
const held = new Set();

function readSid(body) {
  const [, payload] = new URLSearchParams(body).get('logout_token').split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).sid;
}

function answer(request, response) {
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (chunk) => {
    if (told) body += chunk;
  });
  request.on('end', () => {
    taken++;
    const at = nowMs();
    response.writeHead(200, { 'content-length': 0 }).end();
    told?.push([readSid(body), request.url, at]);
  });
}

const prompt = createServer(answer);
const stubborn = createServer((request, response) => {
  if (!hanging) return answer(request, response);
  request.resume();
  held.add(response);
  response.once('close', () => held.delete(response));
});

const listen = (server) =>
  new Promise((resolve) => {
    server.keepAliveTimeout = 60_000;
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => resolve(`http://127.0.0.1:${server.address().port}`));
  });

answerCalls({
  start: async () => ({ prompt: await listen(prompt), stubborn: await listen(stubborn) }),
  count: () => taken,
  hang: (on) => {
    hanging = on;
    if (!on) for (const response of held) response.destroy();
  },
  record: () => void (told = []),
  /** What was told since the last call, or since `record`; goes on recording. */
  recorded: () => told.splice(0),
  stopRecording: () => void (told = null),
});
