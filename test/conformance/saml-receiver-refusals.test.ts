import 'reflect-metadata';
import { envelope, makePeer, newId, readRedirect, readSigned } from '../support/saml-peer.js';
import type { Binding } from '../support/saml-peer.js';
import {
  FORM,
  IDP,
  IDP_ENTITY,
  answerTo,
  base64,
  credentials,
  endpoint,
  expectNeverStored,
  expectPage,
  front,
  get,
  lines,
  living,
  ours,
  post,
  quiet,
  registerSp,
  requestOf,
  sendSoap,
  service,
  signIn,
  soapEndpoint,
  soapSps,
  state,
  withReceiver,
} from '../support/saml-receiver.js';
import type { Login, Sp } from '../support/saml-receiver.js';

withReceiver();

describe('messages that are refused change nothing', () => {
  type Bad = (a: Sp, login: Login) => { xml: string; by?: { privateKey: string; certificate: string } };
  const soon = (ms: number) => new Date(Date.now() + ms);

  /** Signed by somebody who is not believed, or not meant for us: nobody is answered, over no binding. */
  const STRANGERS: [string, string, (binding: Binding) => Bad][] = [
    ['SLOX-16', 'an unknown Issuer', (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: 'https://nobody.example' }) })],
    [
      'SLOX-16',
      'an Issuer in another case',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: a.peer.entityId.toUpperCase() }) }),
    ],
    ['SLOX-16', 'an Issuer with a blank', (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: `${a.peer.entityId} ` }) })],
    ['SLOX-16', 'an SP that says it is the IdP', (on) => (a, login) => ({ xml: requestOf(a, login, on, { issuer: IDP_ENTITY }) })],
    ['SLO-82', 'a key that is not its own', (on) => (a, login) => ({ xml: requestOf(a, login, on), by: credentials[3]! })],
    [
      'SLO-9',
      'another host as Destination',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { destination: 'https://evil.example/' }) }),
    ],
    [
      'SLOX-15',
      'the Destination of another tenant',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { destination: endpoint('other') }) }),
    ],
    [
      'SLOX-15',
      'a Destination with another end',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { destination: `${endpoint()}/` }) }),
    ],
  ];
  /** Signed by a sender that is believed: it is told. */
  const BELIEVED: [string, string, string, (binding: Binding) => Bad][] = [
    [
      'SLO-88',
      'an old IssueInstant',
      'Requester',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { issueInstant: soon(-301_000) }) }),
    ],
    [
      'SLO-88',
      'an IssueInstant ahead',
      'Requester',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { issueInstant: soon(90_000) }) }),
    ],
    [
      'SLO-5',
      'a NotOnOrAfter that has passed',
      'Requester',
      (on) => (a, login) => ({ xml: requestOf(a, login, on, { notOnOrAfter: soon(-1_000) }) }),
    ],
    ['SLO-16', 'another version', 'VersionMismatch', (on) => (a, login) => ({ xml: requestOf(a, login, on, { version: '2.1' }) })],
  ];

  /** Everything that a signature by `by` would be made of, over that binding. */
  async function sendOver(binding: Binding, a: Sp, { xml, by = a.peer }: ReturnType<Bad>): Promise<Response> {
    const sender = makePeer(a.peer.entityId, by);
    if (binding === 'redirect') return get(sender.redirect(endpoint(), xml, 'state'));
    if (binding === 'post') return post({ SAMLRequest: base64(sender.sign(xml)), RelayState: 'state' });
    return sendSoap(envelope(sender.sign(xml)));
  }

  const ways: Binding[] = ['redirect', 'post', 'soap'];
  describe.each(ways)('over %s', (binding) => {
    let a: Sp;
    let login: Login;
    beforeAll(async () => {
      a = await registerSp({
        endpoints: (id) => [front('redirect', id), { binding: 'soap', location: soapSps.uri(id) }],
        bindings: ['soap'],
      });
      login = await signIn(a);
    });

    it.each(STRANGERS)('%s SLO-55 SLO-59 SLO-89 %s: nobody is answered', async (_, __, bad) => {
      await quiet();
      const before = await state();
      const sent = bad(binding)(a, login);
      const response = await sendOver(binding, a, sent);
      if (binding === 'soap') {
        expect(response.status).toBe(403);
        expect(await response.text()).toBe('');
      } else {
        await expectPage(response, 400, ['state', 'nobody', 'evil']);
      }
      expect(await state()).toEqual(before);
      expect(await living(login)).toBe(2);
    });

    it.each(BELIEVED)('%s SLO-21 SLO-55 SLO-59 %s: its sender is told %s', async (_, __, status, bad) => {
      await quiet();
      const before = await state();
      const response = await sendOver(binding, a, bad(binding)(a, login));
      if (binding === 'soap') {
        expect(response.status).toBe(200);
        expect(readSigned(await response.text(), ours).status).toBe(status);
      } else {
        expect(response.status).toBe(303);
        const answer = readRedirect(response.headers.get('location')!, ours);
        expect(answer).toMatchObject({ status, relayState: 'state', destination: soapSps.uri(`${a.id}/redirect`) });
      }
      expect(await state()).toEqual(before);
    });

    it('SLO-1 SLO-21 what breaks the schema, for nobody has been identified yet', async () => {
      const before = await state();
      const xml = requestOf(a, login, binding).replace(/<saml:NameID.*<\/saml:NameID>/, '');
      const response = await sendOver(binding, a, { xml });
      if (binding !== 'soap') await expectPage(response, 400);
      else expect([response.status, await response.text()]).toEqual([500, expect.stringContaining('soap:Client')]);
      expect(await state()).toEqual(before);
    });

    it('SLO-80 SLOX-10 what is not signed', async () => {
      await quiet();
      const before = await state();
      const xml = requestOf(a, login, binding);
      if (binding === 'soap') expect((await sendSoap(envelope(xml))).status).toBe(403);
      else if (binding === 'post') await expectPage(await post({ SAMLRequest: base64(xml) }), 400);
      else {
        const [url] = a.peer.redirect(endpoint(), xml).split('&SigAlg=') as [string];
        await expectPage(await get(url), 400);
        await expectPage(
          await get(`${url}&SigAlg=${encodeURIComponent('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256')}&Signature=`),
          400,
        );
      }
      expect(await state()).toEqual(before);
    });

    it('SLOX-16 an SP that is disabled is refused as one that is not there', async () => {
      const disabled = await registerSp({ enabled: false });
      const before = await state();
      const response = await sendOver(binding, disabled, { xml: requestOf(disabled, login, binding) });
      expect(response.status).toBe(binding === 'soap' ? 403 : 400);
      expect(await state()).toEqual(before);
    });

    it('SLO-89 a known SP reaches no session of another one', async () => {
      const stranger = await registerSp();
      const response = await sendOver(binding, stranger, {
        xml: requestOf(stranger, login, binding, { sessionIndexes: [login.indexAt(a)] }),
      });
      expect(response.status).toBe(binding === 'soap' ? 200 : 303);
      expect(await living(login)).toBe(2);
    });

    it('SLO-88 SLOX-14 a copy, and all but one of copies that come at once', async () => {
      const victim = await signIn(a);
      const sent = { xml: requestOf(a, victim, binding) };
      const codes = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const response = await sendOver(binding, a, sent);
          return binding === 'soap' ? readSigned(await response.text(), ours).status : response.status;
        }),
      );
      const [good, refused] = binding === 'soap' ? ['Success', 'Requester/RequestDenied'] : [303, 400];
      expect(codes.filter((code) => code === good)).toHaveLength(1);
      expect(codes.filter((code) => code === refused)).toHaveLength(5);
      await quiet();
      const before = await state();
      const again = await sendOver(binding, a, sent);
      if (binding === 'soap') expect(readSigned(await again.text(), ours).status).toBe(refused);
      else await expectPage(again, 400);
      expect(await state()).toEqual(before);
    });
  });

  it.each([
    ['SLO-57 a body that is empty', '', 500],
    ['SLO-57 no XML', 'nonsense', 500],
    ['SLO-57 no envelope', '<a/>', 500],
    ['SLO-57 SOAP 1.2', '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>', 500],
    ['SLO-57 an empty Body', envelope(''), 500],
    ['SLOX-11 a DOCTYPE', `<!DOCTYPE x [<!ENTITY e "e">]>${envelope('<a/>').replace(/<\?.*?\?>/, '')}`, 500],
    ['SLO-59 a fault, to which nobody answers with a fault', envelope('<S:Fault><faultcode>S:Client</faultcode></S:Fault>'), 403],
  ])('SLO-59 over SOAP %s', async (_, body, status) => {
    const before = await state();
    const response = await sendSoap(body);
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status });
    if (status === 500) expect(text).toMatch(/<faultcode>soap:\w+<\/faultcode>/);
    expectNeverStored(response);
    expect(await state()).toEqual(before);
  });

  it('SLO-59 an answer over SOAP by itself is refused without a fault', async () => {
    const a = await registerSp();
    const before = await state();
    const xml = a.peer.sign(a.peer.response({ inResponseTo: newId(), destination: null }));
    const response = await sendSoap(envelope(xml));
    expect([response.status, await response.text()]).toEqual([403, '']);
    expect(await state()).toEqual(before);
  });

  it.each([
    ['application/soap+xml', 415],
    ['application/json', 415],
    [FORM, 415],
    ['text/xml; charset=utf-16', 415],
    ['text/xml; charset=iso-8859-1', 415],
  ])('SLO-57 SLOX-17 over SOAP %s is answered %i', async (type, status) => {
    const a = await registerSp();
    const login = await signIn(a);
    const response = await sendSoap(type === 'application/json' ? '{}' : envelope(a.peer.sign(requestOf(a, login, 'soap'))), { type });
    expect(response.status).toBe(status);
    expect(await living(login)).toBe(2);
  });

  it('SLOX-17 bytes that are no UTF-8', async () => {
    const body = Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe, 0x3c, 0x2f, 0x61, 0x3e]);
    const response = await fetch(soapEndpoint(), { method: 'POST', headers: { 'content-type': 'text/xml' }, body });
    expect(response.status).toBe(400);
  });

  it('SLOX-17 more than 256 KiB is not read to its end', async () => {
    const large = 'a'.repeat(257 * 1024);
    expect((await sendSoap(large)).status).toBe(413);
    await expectPage(await post({ SAMLRequest: large }), 413);
  });

  it('over POST only a form is one', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const body = JSON.stringify({ SAMLRequest: base64(a.peer.sign(requestOf(a, login, 'post'))) });
    await expectPage(await fetch(endpoint(), { method: 'POST', headers: { 'content-type': 'application/json' }, body }), 415);
    await expectPage(await fetch(endpoint(), { method: 'POST' }), 400);
    await expectPage(await post({ RelayState: 'x' }), 400);
    await expectPage(await get(endpoint()), 400);
    expect(await living(login)).toBe(2);
  });

  it('other methods are answered 405, and a HEAD ends nothing', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const url = a.peer.redirect(endpoint(), requestOf(a, login, 'redirect'));
    expect((await get(url, { method: 'HEAD' })).status).toBe(405);
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) expect((await get(endpoint(), { method })).status).toBe(405);
    expect((await get(soapEndpoint())).status).toBe(405);
    expect(await living(login)).toBe(2);
  });

  it.each(['nobody', 'oidc-only', 'NO%20SUCH', '..%2f..%2fetc'])('there is no single logout at %s', async (id) => {
    const before = await state();
    await expectPage(await get(`${endpoint(id)}?SAMLRequest=x`), 404);
    await expectPage(await post({ SAMLRequest: 'x' }, endpoint(id)), 404);
    expect((await sendSoap(envelope('<a/>'), { url: soapEndpoint(id) })).status).toBe(404);
    expect(await state()).toEqual(before);
  });

  it('SLOX-16 an SP of one identity provider is nobody at another', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'soap', { destination: soapEndpoint('other') }));
    expect((await sendSoap(envelope(xml), { url: soapEndpoint('other') })).status).toBe(403);
    expect(await living(login)).toBe(2);
  });

  it('SLO-75 an SP whose metadata has run out is nobody any more', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    await service.database.query(
      `UPDATE service_providers SET saml = jsonb_set(saml, '{validUntil}', '"2020-01-01T00:00:00Z"') WHERE id = $1`,
      [a.id],
    );
    expect((await sendSoap(envelope(a.peer.sign(requestOf(a, login, 'soap'))))).status).toBe(403);
    expect(await living(login)).toBe(2);
  });

  it('SLO-16 SLO-93 when the store fails its sender is told Responder, and nothing has changed', async () => {
    const a = await registerSp({
      endpoints: (id) => [front('redirect', id), { binding: 'soap', location: soapSps.uri(id) }],
      bindings: ['soap'],
    });
    const login = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap', { nameId: 'warms the keys' })));
    await service.database.query('ALTER TABLE seen_messages RENAME TO seen_messages_away');
    try {
      const answer = await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
      expect(answer.status).toBe('Responder');
      const response = await get(a.peer.redirect(endpoint(), requestOf(a, login, 'redirect')));
      expect(readRedirect(response.headers.get('location')!, ours).status).toBe('Responder');
    } finally {
      await service.database.query('ALTER TABLE seen_messages_away RENAME TO seen_messages');
    }
    expect(await living(login)).toBe(2);
  });
});

describe('what operators see', () => {
  it('one line says which clause was broken, by whom; no NameID, no message', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'soap', { issueInstant: new Date(0) }));
    lines.length = 0;
    await sendSoap(envelope(xml));
    const line = lines.map((text) => JSON.parse(text) as Record<string, unknown>).find(({ msg }) => msg === 'SAML message refused');
    expect(line).toMatchObject({
      level: 'warn',
      idp: IDP,
      party: a.id,
      binding: 'soap',
      kind: 'request',
      code: 'expired',
      clause: 'SLO-88',
    });
    lines.length = 0;
    await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    const all = lines.join('');
    expect(all).toContain('SAML message received');
    for (const secret of [login.nameId, 'LogoutRequest xmlns', 'SignatureValue']) expect(all).not.toContain(secret);
  });

  it('messages are counted by what became of them', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    await sendSoap(envelope(requestOf(a, login, 'soap')));
    const { body } = await service.call<string>('GET', '/metrics', undefined, { token: null });
    expect(body).toMatch(/exeunt_saml_messages_total\{kind="request",binding="soap",result="accepted"\} [1-9]/);
    expect(body).toMatch(/exeunt_saml_messages_total\{kind="request",binding="soap",result="unsigned"\} [1-9]/);
  });

  it('the routes are described', async () => {
    const { body } = await service.call<{ paths: Record<string, object> }>('GET', '/openapi.json', undefined, { token: null });
    expect(Object.keys(body.paths['/saml/slo/{idp}'] ?? {}).sort()).toEqual(['get', 'post']);
    expect(Object.keys(body.paths['/saml/slo/{idp}/soap'] ?? {})).toEqual(['post']);
  });
});
