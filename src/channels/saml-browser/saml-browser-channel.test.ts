import { inflateRawSync } from 'node:zlib';
import { readRedirect, readSigned } from '../../../test/support/saml-peer.js';
import { samlMessage } from '../../../test/support/saml-message.js';
import type { SamlMessageChange } from '../../../test/support/saml-message.js';
import { makeSigner } from '../../../test/support/saml-signer.js';
import type { PreparedLeg } from '../channel.js';
import { samlBrowserChannels } from './saml-browser-channel.js';

const signer = makeSigner();
const REDIRECT = 'https://sp.example/redirect?app=1';
const POST = 'https://sp.example/post';
const [redirect, post] = samlBrowserChannels({
  signers: { signerFor: (idpId) => Promise.resolve({ entityId: `https://${idpId}.example`, signer }) },
  clock: { now: () => new Date() },
  settings: { requestLifetimeSeconds: 300 },
}) as [ReturnType<typeof samlBrowserChannels>[0], ReturnType<typeof samlBrowserChannels>[0]];

type Ready = Extract<PreparedLeg, { kind: 'ready' }>;
const byRedirect = (change?: SamlMessageChange) => redirect.prepare(samlMessage('redirect', REDIRECT, change)) as Promise<Ready>;
const byPost = (change?: SamlMessageChange) => post.prepare(samlMessage('post', POST, change)) as Promise<Ready>;

function readLeg({ leg }: Ready) {
  if (leg.method === 'redirect') return readRedirect(leg.url, signer.certificate);
  const message = leg.fields.find(({ name }) => name === 'SAMLRequest')!.value;
  return readSigned(Buffer.from(message, 'base64').toString(), signer.certificate);
}
/** So many SessionIndexes that the message does not compress below the limit. */
const manyIndexes = Array.from({ length: 120 }, (_, n) => `${n}-${makeNoise(n)}`);
function makeNoise(seed: number): string {
  let state = seed + 1;
  return Array.from({ length: 8 }, () => (state = (state * 48_271) % 2_147_483_647).toString(36)).join('');
}
const large = { saml: { nameId: { value: 'alice' }, sessionIndexes: manyIndexes, cause: 'user' as const } };
const both = [
  { binding: 'redirect' as const, location: REDIRECT },
  { binding: 'post' as const, location: POST },
];

describe('samlBrowserChannels', () => {
  it('are one for each binding', () => {
    expect([redirect.type, post.type]).toEqual(['saml-redirect', 'saml-post']);
  });

  it('SLO-40, SLO-43, SLO-80 sends a signed LogoutRequest by a redirect to the endpoint', async () => {
    const prepared = await byRedirect();
    expect(prepared.leg).toMatchObject({
      method: 'redirect',
      url: expect.stringMatching(/^https:\/\/sp\.example\/redirect\?app=1&SAMLRequest=/),
    });
    expect(readLeg(prepared)).toMatchObject({
      root: 'LogoutRequest',
      id: prepared.messageId,
      issuer: 'https://idp-1.example',
      destination: REDIRECT,
      nameId: 'alice@example.org',
      sessionIndexes: ['_s1', '_s2'],
      relayState: null,
    });
  });

  it('SLO-47, SLO-49, SLO-80 sends a signed LogoutRequest by a form to the endpoint', async () => {
    const prepared = await byPost();
    expect(prepared.leg).toMatchObject({ method: 'post', action: POST, fields: [{ name: 'SAMLRequest' }] });
    expect(readLeg(prepared)).toMatchObject({ root: 'LogoutRequest', id: prepared.messageId, destination: POST });
  });

  it('SLO-2 has a new ID each time', async () => {
    const [one, two] = await Promise.all([byRedirect(), byRedirect()]);
    expect(one.messageId).not.toBe(two.messageId);
  });

  it('SLO-73 takes the first endpoint of its binding', async () => {
    const endpoints = [
      { binding: 'post' as const, location: POST },
      ...['a', 'b'].map((path) => ({ binding: 'redirect' as const, location: `https://sp.example/${path}` })),
    ];
    expect(readLeg(await byRedirect({ endpoints })).destination).toBe('https://sp.example/a');
  });

  it('SLO-72 sends a request to Location, not to ResponseLocation', async () => {
    const endpoints = [{ binding: 'post' as const, location: POST, responseLocation: 'https://sp.example/back' }];
    expect((await byPost({ endpoints })).leg).toMatchObject({ action: POST });
  });

  it('SLO-46 sends a form instead of a URL of more than 4 KiB, with the Destination of the form', async () => {
    const prepared = await byRedirect({ ...large, endpoints: both });
    expect(prepared.leg).toMatchObject({ method: 'post', action: POST });
    expect(readLeg(prepared)).toMatchObject({ id: prepared.messageId, destination: POST, sessionIndexes: manyIndexes });
  });

  it.each<[string, SamlMessageChange]>([
    ['the SP takes no form', {}],
    ['the registration wants none', { endpoints: both, config: { bindings: ['redirect'] } }],
    ['the address of the form is none', { endpoints: [both[0]!, { binding: 'post', location: 'javascript:1' }] }],
  ])('SLO-46 sends the long URL all the same when %s', async (_, change) => {
    const { leg } = await byRedirect({ ...large, ...change });
    expect(leg.method === 'redirect' && leg.url.length > 4_096).toBe(true);
  });

  it('ASLO-1 ASLO-2 ASLO-4 asks for no answer where the SP announces that, and the registration wants it', async () => {
    const announced = [{ binding: 'redirect' as const, location: REDIRECT, supportsAsynchronous: true }];
    const isAsynchronous = ({ leg }: Ready) => {
      const query = new URL((leg as { url: string }).url).searchParams;
      return inflateRawSync(Buffer.from(query.get('SAMLRequest')!, 'base64'))
        .toString()
        .includes('async-slo');
    };
    const wanted = await byRedirect({ endpoints: announced, config: { asynchronous: true } });
    expect([wanted.expectsAnswer, isAsynchronous(wanted)]).toEqual([false, true]);
    for (const change of [{ endpoints: announced }, { config: { asynchronous: true } }]) {
      const answered = await byRedirect(change);
      expect([answered.expectsAnswer, isAsynchronous(answered)]).toEqual([true, false]);
    }
  });

  it('is unusable without a NameID', async () => {
    for (const prepared of [await byRedirect({ saml: null }), await byPost({ saml: null })]) {
      expect(prepared).toEqual({ kind: 'unusable', error: expect.stringContaining('needs a NameID') });
    }
  });
});
