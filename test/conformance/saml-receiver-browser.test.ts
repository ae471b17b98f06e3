import 'reflect-metadata';
import { createSign } from 'node:crypto';
import { newId, readRedirect, readSigned } from '../support/saml-peer.js';
import {
  IDP_ENTITY,
  answerOf,
  base64,
  byPost,
  byRedirect,
  endpoint,
  expectNeverStored,
  expectPage,
  flows,
  front,
  get,
  living,
  ours,
  outcomesOf,
  post,
  redirectAnswerOf,
  registerSp,
  requestOf,
  settled,
  signIn,
  soapSps,
  state,
  tokenOf,
  withReceiver,
} from '../support/saml-receiver.js';
import type { Sp } from '../support/saml-receiver.js';

withReceiver();

describe('a request comes with a browser', () => {
  it('SLO-40 SLO-52 SLO-62 SLO-72 SLO-90 Redirect in, Redirect out to the ResponseLocation with the RelayState', async () => {
    const responseLocation = soapSps.uri('back');
    const a = await registerSp({ endpoints: (id) => [{ ...front('redirect', id), responseLocation }] });
    const b = await registerSp();
    const login = await signIn(a, b);
    const id = newId();
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect', { id }), 'a b+c/é')));
    expect(await living(login)).toBe(0);
    await settled(token);
    const answer = await redirectAnswerOf(token);
    expect(answer).toMatchObject({
      status: 'Success',
      inResponseTo: id,
      destination: responseLocation,
      relayState: 'a b+c/é',
      issuer: IDP_ENTITY,
    });
    expect(answer.url.startsWith(`${responseLocation}?SAMLResponse=`)).toBe(true);
  });

  it('SLO-47 SLO-49 SLO-56 SLO-90 POST in, Redirect out where the SP takes answers so', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'post'));
    const wrapped = base64(xml).replace(/(.{76})/g, '$1\r\n');
    const token = tokenOf(await post({ SAMLRequest: wrapped, RelayState: 'r' }));
    expect(await redirectAnswerOf(token)).toMatchObject({ status: 'Success', relayState: 'r' });
    expect(await living(login)).toBe(0);
  });

  it('SLO-47 SLO-90 POST in, POST out, signed inside', async () => {
    const a = await registerSp(byPost);
    const login = await signIn(a);
    const token = tokenOf(await post({ SAMLRequest: base64(a.peer.sign(requestOf(a, login, 'post'))) }));
    const answer = await answerOf(token);
    if (answer?.method !== 'post') throw new Error('no form');
    expect(answer.action).toBe(soapSps.uri(`${a.id}/post`));
    expect(answer.fields.map((field) => field.name)).toEqual(['SAMLResponse']);
    expect(readSigned(Buffer.from(answer.fields[0]!.value, 'base64').toString(), ours)).toMatchObject({
      status: 'Success',
      destination: answer.action,
    });
  });

  it('SLO-50 no cookie is needed, and none is looked at', async () => {
    const a = await registerSp(byPost);
    const login = await signIn(a);
    const init = { headers: { cookie: 'a=b', origin: 'https://evil.example' } };
    tokenOf(await post({ SAMLRequest: base64(a.peer.sign(requestOf(a, login, 'post'))) }, endpoint(), init));
    expect(await living(login)).toBe(0);
  });

  it('SLO-44 SLO-96 lower-case percent-encoding, `+` and another order are verified as they were written', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const url = a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'));
    const [path, query] = url.split('?') as [string, string];
    // The signature is over the spelling; one in lower case needs a signature of its own.
    const [message, algorithm] = query.split('&') as [string, string];
    const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
    const signed = `${lower(message)}&RelayState=a+b&${lower(algorithm)}`;
    const signature = encodeURIComponent(createSign('RSA-SHA256').update(signed).sign(a.peer.privateKey, 'base64'));
    const token = tokenOf(await get(`${path}?Signature=${signature}&${lower(algorithm)}&RelayState=a+b&${lower(message)}`));
    expect(await redirectAnswerOf(token)).toMatchObject({ status: 'Success', relayState: 'a b' });
  });

  it('SLO-51 SLO-52 a RelayState of more than 80 bytes is taken, and given back as it came', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const relayState = 'é'.repeat(200);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'), relayState)));
    expect(await redirectAnswerOf(token)).toMatchObject({ status: 'Success', relayState });
  });

  it('SLO-51 one that is no text, or longer than any URL, is refused', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    for (const relayState of ['a\0b', 'a'.repeat(4_097)]) {
      await expectPage(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'), relayState)), 400);
    }
    expect(await living(login)).toBe(2);
  });

  it('SLO-53 SLOX-18 a RelayState that is a URL or HTML is neither followed nor shown', async () => {
    const a = await registerSp(byRedirect);
    for (const relayState of ['https://evil.example/', '"><script>alert(1)</script>']) {
      const login = await signIn(a);
      const response = await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'), relayState));
      expect(await response.text()).toBe('');
      tokenOf(response);
    }
  });

  it('ASLO-3 SLO-97 one that needs no answer gets none', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect', { asynchronous: true }), 'r')));
    expect(await living(login)).toBe(0);
    expect((await flows().read(token))!.reply).toBeNull();
    expect(await answerOf(token)).toBeNull();
  });

  it('SLO-22 nothing to end: the browser goes the same way, to the same answer', async () => {
    const a = await registerSp(byRedirect);
    const login = await signIn(a);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect', { nameId: 'nobody' }))));
    expect((await redirectAnswerOf(token)).status).toBe('Success');
    expect(await living(login)).toBe(2);
  });

  it('SLO-18 SLO-30 what is open at the end makes it a partial one', async () => {
    const [a, b] = [await registerSp(byRedirect), await registerSp(byRedirect)];
    const login = await signIn(a, b);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'))));
    expect((await redirectAnswerOf(token)).status).toBe('Success/PartialLogout');
  });
});

describe('answers of SPs come back with the browser', () => {
  /** A flow that has sent the browser to `b` with a request. */
  async function legTo(b: Sp) {
    const a = await registerSp(byRedirect);
    const login = await signIn(a, b);
    const token = tokenOf(await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'))));
    const flow = await flows().read(token);
    const due = flow!.deliveries.find((delivery) => delivery.isDue)!;
    const leg = await flows().beginLeg(token, due.n);
    if (leg === null) throw new Error('no leg');
    const asked =
      leg.method === 'redirect' ? readRedirect(leg.url, ours) : readSigned(Buffer.from(leg.fields[0]!.value, 'base64').toString(), ours);
    return { login, token, asked };
  }
  const respond = (b: Sp, inResponseTo: string, status = 'Success') =>
    get(b.peer.redirect(endpoint(), b.peer.response({ inResponseTo, destination: endpoint(), status })));

  it('SLO-13 SLO-62 SLO-90 the answer of the SP decides, and the person sees that it is taken', async () => {
    const b = await registerSp(byRedirect);
    const { login, token, asked } = await legTo(b);
    expect(asked).toMatchObject({ root: 'LogoutRequest', nameId: login.nameId, destination: soapSps.uri(`${b.id}/redirect`) });
    const response = await respond(b, asked.id);
    expect(response.headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(response.headers.get('content-security-policy')).toMatch(/frame-ancestors 'self'$/);
    expectNeverStored(response);
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('Signed out here')]);
    expect((await settled(token))!.verdict).toBe('complete');
    expect((await redirectAnswerOf(token)).status).toBe('Success');
  });

  it('SLO-47 over POST as well', async () => {
    const b = await registerSp(byPost);
    const { token, asked } = await legTo(b);
    const xml = b.peer.sign(b.peer.response({ inResponseTo: asked.id, destination: endpoint() }));
    expect((await post({ SAMLResponse: base64(xml) })).status).toBe(200);
    expect((await settled(token))!.verdict).toBe('complete');
  });

  it('SLO-19 PartialLogout under any top-level code is not a success', async () => {
    for (const status of ['Success/PartialLogout', 'Responder/PartialLogout', 'Requester/PartialLogout']) {
      const b = await registerSp(byRedirect);
      const { login, token, asked } = await legTo(b);
      expect((await respond(b, asked.id, status)).status).toBe(200);
      expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'partial' });
      expect((await redirectAnswerOf(token)).status).toBe('Success/PartialLogout');
    }
  });

  it('SLO-13 SLOX-14 it is taken once, from the SP that was asked, to what it was asked', async () => {
    const b = await registerSp(byRedirect);
    const stranger = await registerSp(byRedirect);
    const { asked } = await legTo(b);
    const before = await state();
    await expectPage(await respond(stranger, asked.id), 400);
    await expectPage(await respond(b, newId()), 400);
    const other = b.peer.response({ inResponseTo: asked.id, destination: endpoint() }).replace(/ InResponseTo="[^"]*"/, '');
    await expectPage(await get(b.peer.redirect(endpoint(), other)), 400);
    expect(await state()).toEqual(before);
    expect((await respond(b, asked.id)).status).toBe(200);
    await expectPage(await respond(b, asked.id), 400);
  });
});
