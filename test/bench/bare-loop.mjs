/** The floor: signs with jose and posts with undici, and keeps nothing. */
import { randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT } from 'jose';
import { Agent } from 'undici';
import { answerCalls } from './children.mjs';
import { atMost, nowMs } from './statistics.mjs';

const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
const { privateKey } = await generateKeyPair('ES256');
let agent;

async function tell(origin, path, clientId, sub, sid) {
  const now = Math.floor(Date.now() / 1_000);
  const token = await new SignJWT({
    iss: 'https://op.example',
    aud: clientId,
    iat: now,
    exp: now + 120,
    jti: randomUUID(),
    events: EVENTS,
    sub,
    sid,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'bare', typ: 'logout+jwt' })
    .sign(privateKey);
  const { statusCode, body } = await agent.request({
    origin,
    path,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `logout_token=${token}`,
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`the sink answered ${statusCode}`);
}

answerCalls({
  start: (concurrency) => void (agent = new Agent({ connections: concurrency, pipelining: 1 })),
  /** @returns milliseconds for so many posts, spread over the service providers */
  run: async (origin, serviceProviders, posts, concurrency) => {
    const begin = nowMs();
    await atMost(
      concurrency,
      Array.from({ length: posts }, (_, at) => () => {
        const sp = at % serviceProviders;
        return tell(origin, `/sp/${sp}`, `client-${sp}`, `user-${at}`, `sid-${at}`);
      }),
    );
    return nowMs() - begin;
  },
  /** @returns when the tellings of one session began */
  tellAll: async (origin, serviceProviders, sid) => {
    const begin = nowMs();
    await Promise.all(serviceProviders.map((sp) => tell(origin, `/sp/${sp}`, `client-${sp}`, `user-${sid}`, sid)));
    return begin;
  },
});
