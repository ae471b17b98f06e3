/** node-oidc-provider's own fan-out: `client.backchannelLogout` of every client, one try each, nothing kept. */
import { generateKeyPairSync } from 'node:crypto';
import { answerCalls } from './children.mjs';
import { atMost, nowMs } from './statistics.mjs';

// It tells on start that it has heard of newer versions of Node: not what is asked here.
console.warn = () => {};
const { Provider } = await import('oidc-provider');
let clients = [];

answerCalls({
  start: async (origin, serviceProviders) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const provider = new Provider('https://op.example', {
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'op', use: 'sig', alg: 'ES256' }] },
      clients: Array.from({ length: serviceProviders }, (_, sp) => ({
        client_id: `client-${sp}`,
        client_secret: 'not used in a back-channel logout',
        redirect_uris: ['https://rp.example/callback'],
        id_token_signed_response_alg: 'ES256',
        backchannel_logout_uri: `${origin}/sp/${sp}`,
        backchannel_logout_session_required: true,
      })),
      features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
      // Its default without its address guard, which refuses loopback.
      fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
    });
    clients = await Promise.all(Array.from({ length: serviceProviders }, (_, sp) => provider.Client.find(`client-${sp}`)));
  },
  run: async (posts, concurrency) => {
    const begin = nowMs();
    await atMost(
      concurrency,
      Array.from({ length: posts }, (_, at) => () => clients[at % clients.length].backchannelLogout(`user-${at}`, `sid-${at}`)),
    );
    return nowMs() - begin;
  },
});
