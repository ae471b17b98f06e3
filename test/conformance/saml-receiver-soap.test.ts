import 'reflect-metadata';
import { SamlKeys } from '#registry';
import { envelope, newId, readSigned } from '../support/saml-peer.js';
import type { RequestParts } from '../support/saml-peer.js';
import { eventually } from '../support/service.js';
import {
  ANSWER_WITHIN,
  IDP,
  IDP_ENTITY,
  answerTo,
  byRedirect,
  credentials,
  encryptTo,
  endpoint,
  expectNeverStored,
  get,
  idp,
  ledgerOf,
  lines,
  living,
  logoutOf,
  oidcSps,
  ours,
  outcomesOf,
  redirectAnswerOf,
  registerRp,
  registerSp,
  requestOf,
  sendSoap,
  service,
  settled,
  signIn,
  soapEndpoint,
  soapSps,
  state,
  tokenOf,
  unique,
  withReceiver,
} from '../support/saml-receiver.js';

withReceiver();

describe('an SP asks over SOAP', () => {
  it('SLO-15 SLO-17 SLO-23 SLO-26 SLO-62 SLO-90 SLO-93 its session, the one above and all others end; all are told; Success', async () => {
    const [a, b, c] = [await registerSp(), await registerSp(), await registerRp()];
    const login = await signIn(a, b, c);
    const xml = a.peer.sign(requestOf(a, login, 'soap'));
    expect(await answerTo(xml)).toMatchObject({ root: 'LogoutResponse', status: 'Success', issuer: IDP_ENTITY });
    expect(await living(login)).toBe(0);
    expect(await ledgerOf(login)).toMatchObject({ verdict: 'complete', cause: 'user' });
    expect(await outcomesOf(login)).toEqual({ [a.id]: 'confirmed', [b.id]: 'confirmed', [c]: 'confirmed' });
    expect(soapSps.of(b.id)).toHaveLength(1);
    expect(oidcSps.of(c)).toHaveLength(1);
  });

  it('SLO-25 SLO-31 the one who asks is not sent its own request back', async () => {
    const [a, b] = [await registerSp(), await registerSp()];
    const login = await signIn(a, b);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    expect(soapSps.of(a.id)).toEqual([]);
  });

  it('SLO-12 SLO-13 SLO-14 SLO-61 the answer names the request, is signed, and comes from the identity provider', async () => {
    const a = await registerSp();
    const id = newId();
    const answer = await answerTo(a.peer.sign(requestOf(a, await signIn(a), 'soap', { id })));
    expect(answer).toMatchObject({ inResponseTo: id, issuer: IDP_ENTITY, destination: null });
    expect(answer.id).toMatch(/^_[0-9a-f]{40}$/);
  });

  it('SLO-57 SLO-58 SLO-60 it needs no SOAPAction nor any other header, and the answer is never stored', async () => {
    const a = await registerSp();
    for (const soapAction of [undefined, '', '""', '"http://www.oasis-open.org/committees/security"', 'nonsense']) {
      const login = await signIn(a);
      const headers: Record<string, string> = soapAction === undefined ? {} : { soapaction: soapAction };
      const response = await sendSoap(envelope(a.peer.sign(requestOf(a, login, 'soap'))), { headers, type: 'text/xml; charset=utf-8' });
      expect(readSigned(await response.text(), ours).status).toBe('Success');
      expect(response.headers.get('content-type')).toBe('text/xml; charset=utf-8');
      expect(response.headers.get('cache-control')).toBe('no-cache, no-store, must-revalidate, private');
      expectNeverStored(response);
    }
  });

  it('SLO-18 SLO-30 SLO-93 three SPs, one dead: Success/PartialLogout in time; when it is back it is told without help, and all is complete', async () => {
    const [a, b, c] = [await registerSp(), await registerSp(), await registerRp(503)];
    const login = await signIn(a, b, c);
    const begun = performance.now();
    const answer = await answerTo(a.peer.sign(requestOf(a, login, 'soap')));
    expect(answer.status).toBe('Success/PartialLogout');
    expect(performance.now() - begun).toBeLessThan(ANSWER_WITHIN + 2_000);
    expect(await living(login)).toBe(0);
    expect(await outcomesOf(login)).toMatchObject({ [a.id]: 'confirmed', [b.id]: 'confirmed', [c]: 'retrying' });
    oidcSps.behave(c, 200);
    await eventually(
      () => ledgerOf(login),
      ({ verdict }) => verdict === 'complete',
    );
  });

  it('SLO-18 SLO-30 the same with a SAML SP that is dead', async () => {
    const [a, b, c] = [await registerSp(), await registerSp(), await registerSp({ behaviour: 503 })];
    const login = await signIn(a, b, c);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'confirmed', [c.id]: 'retrying' });
    soapSps.host(c.id, c.peer);
    await eventually(
      () => ledgerOf(login),
      ({ verdict }) => verdict === 'complete',
    );
  });

  it('SLO-28 SPs that need a browser are not confirmed, and nobody waits for one', async () => {
    const [a, b] = [await registerSp(), await registerSp(byRedirect)];
    const login = await signIn(a, b);
    const begun = performance.now();
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect(performance.now() - begun).toBeLessThan(ANSWER_WITHIN);
    expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'awaiting-browser' });
  });

  it('SLO-19 an SP that answers PartialLogout makes it a partial one', async () => {
    const [a, b] = [await registerSp(), await registerSp({ behaviour: 'Responder/PartialLogout' })];
    const login = await signIn(a, b);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect(await outcomesOf(login)).toMatchObject({ [b.id]: 'partial' });
  });

  it('SLO-17 an SP that may not end the session above ends its own, and is told so', async () => {
    const [a, b] = [await registerSp({ mayEndRoot: false }), await registerSp()];
    const login = await signIn(a, b);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Responder/PartialLogout');
    expect(await living(login)).toBe(2);
    expect(soapSps.of(b.id)).toEqual([]);
  });

  it('SLO-22 what is unknown, or has ended before, is a success', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const ask = (more: RequestParts = {}) => answerTo(a.peer.sign(requestOf(a, login, 'soap', more)));
    expect((await ask({ nameId: 'nobody' })).status).toBe('Success');
    expect((await ask()).status).toBe('Success');
    expect((await ask()).status).toBe('Success');
  });

  it('SLO-22 what is ending still is answered by how that stands', async () => {
    const [a, b] = [await registerSp(), await registerSp({ behaviour: 503 })];
    const login = await signIn(a, b);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success/PartialLogout');
    soapSps.host(b.id, b.peer);
    await eventually(
      () => ledgerOf(login),
      ({ verdict }) => verdict === 'complete',
    );
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success');
  });

  it('SLO-24 SLO-94 a login that comes after its logout is born dead', async () => {
    const a = await registerSp();
    const nameId = unique('late');
    const xml = a.peer.sign(
      a.peer.request({ destination: soapEndpoint(), nameId, sessionIndexes: ['_late'], notOnOrAfter: new Date(Date.now() + 300_000) }),
    );
    expect((await answerTo(xml)).status).toBe('Success');
    const sid = unique('sid');
    const events = [
      { id: unique('e'), type: 'session.started', idp: IDP, handles: { sid } },
      {
        id: unique('e'),
        type: 'session.joined',
        idp: IDP,
        parent: { sid },
        sp: a.id,
        handles: { nameId: { value: nameId }, sessionIndex: '_late' },
      },
    ];
    const { body } = await service.call<{ results: { status: string }[] }>('POST', '/v1/events', { events });
    expect(body.results[1]).toMatchObject({ status: 'session_ended' });
  });

  it('SLO-23 SLO-27 SLO-91 without a SessionIndex, with two, with an unknown one', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const second = {
      id: unique('e'),
      type: 'session.joined',
      idp: IDP,
      parent: { sid: login.sid },
      sp: a.id,
      handles: { nameId: { value: login.nameId }, sessionIndex: `${login.indexAt(a)}-2` },
    };
    await service.call('POST', '/v1/events', { events: [second] });
    const ask = (sessionIndexes: string[]) => answerTo(a.peer.sign(requestOf(a, login, 'soap', { sessionIndexes })));
    expect((await ask(['_unknown'])).status).toBe('Success');
    expect(await living(login)).toBe(3);
    await ask(['_unknown', `${login.indexAt(a)}-2`]);
    expect(await living(login)).toBe(0);
    const again = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, again, 'soap', { sessionIndexes: [] })));
    expect(await living(again)).toBe(0);
  });

  it('SLO-95 either of two signing keys is good', async () => {
    const a = await registerSp({ certificates: [credentials[3]!.certificate, credentials[0]!.certificate] });
    for (const by of [credentials[0]!, credentials[3]!]) {
      const login = await signIn(a);
      expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap'), by))).status).toBe('Success');
      expect(await living(login)).toBe(0);
    }
  });

  it('SLO-11 SLO-85 SLO-92 a NameID that is encrypted to us, and one that is encrypted as nobody should', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const [certificate] = (await service.app.get(SamlKeys, { strict: false }).certificates(IDP)).encryption;
    const encrypted = async (encryptionAlgorithm: string, keyEncryptionAlgorithm: string): Promise<string> => {
      const xml = requestOf(a, login, 'soap');
      const nameId = /<saml:NameID>.*<\/saml:NameID>/.exec(xml)![0];
      const content = nameId.replace('<saml:NameID', '<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"');
      const data = await encryptTo(content, certificate!, { encryptionAlgorithm, keyEncryptionAlgorithm });
      return a.peer.sign(xml.replace(nameId, `<saml:EncryptedID>${data}</saml:EncryptedID>`));
    };
    const oaep = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p';
    const before = await state();
    expect((await answerTo(await encrypted('http://www.w3.org/2001/04/xmlenc#aes128-cbc', oaep))).status).toBe('Requester');
    expect(await state()).toEqual(before);
    expect((await answerTo(await encrypted('http://www.w3.org/2009/xmlenc11#aes128-gcm', oaep))).status).toBe('Success');
    expect(await living(login)).toBe(0);
  });

  it('SLO-84 SHA-1 is taken from an SP that may, which is logged every time, and from no other', async () => {
    const [legacy, modern] = [await registerSp({ allowSha1: true }), await registerSp()];
    const login = await signIn(legacy, modern);
    const refused = await sendSoap(envelope(modern.peer.sign(requestOf(modern, login, 'soap'), modern.peer, 'sha1')));
    expect(refused.status).toBe(403);
    expect(await living(login)).toBe(3);
    lines.length = 0;
    expect((await answerTo(legacy.peer.sign(requestOf(legacy, login, 'soap'), legacy.peer, 'sha1'))).status).toBe('Success');
    expect(lines.join('')).toMatch(/"clause":"SLO-84","msg":"SAML message signed with SHA-1/);
  });

  it('design decision 1: when it is answered, all is written', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = a.peer.sign(requestOf(a, login, 'soap'));
    await sendSoap(envelope(xml));
    expect(await living(login)).toBe(0);
    expect(await service.database.query('SELECT 1 FROM logouts WHERE id = $1', [(await logoutOf(login)).id])).toHaveLength(1);
  });

  it('SLO-6 the reason is kept as the cause', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    await answerTo(a.peer.sign(requestOf(a, login, 'soap', { reason: 'urn:oasis:names:tc:SAML:2.0:logout:admin' })));
    expect(await ledgerOf(login)).toMatchObject({ cause: 'admin' });
  });
});

describe('OIDC and SAML logins of one session at the identity provider', () => {
  it('end together when the SAML side starts', async () => {
    const [a, rp] = [await registerSp(), await registerRp()];
    const login = await signIn(a, rp);
    expect((await answerTo(a.peer.sign(requestOf(a, login, 'soap')))).status).toBe('Success');
    expect(await living(login)).toBe(0);
    expect(oidcSps.of(rp)).toHaveLength(1);
  });

  it('end together when the OIDC side starts', async () => {
    const [a, rp] = [await registerSp(), await registerRp()];
    const login = await signIn(a, rp);
    const wait = { headers: { prefer: 'wait=10' } };
    const target = { idp: IDP, sid: login.sid };
    expect((await service.call('POST', '/v1/logouts', { target, cause: 'user' }, wait)).body).toMatchObject({ verdict: 'complete' });
    expect(await living(login)).toBe(0);
    expect(oidcSps.of(rp)).toHaveLength(1);
    const [told] = soapSps.of(a.id);
    expect(readSigned(told!, ours)).toMatchObject({ root: 'LogoutRequest', nameId: login.nameId, sessionIndexes: [login.indexAt(a)] });
  });
});

describe('the identity provider itself asks: we are one of its SPs', () => {
  it('SLO-23 SLO-91 over SOAP: what it names ends, all are told, and we answer as its SP', async () => {
    const [a, rp] = [await registerSp(), await registerRp()];
    const login = await signIn(a, rp);
    const xml = idp.sign(idp.request({ destination: soapEndpoint(), nameId: login.nameId, sessionIndexes: [`_${login.sid}`] }));
    const answer = await answerTo(xml);
    const { participantEntityId } = await service.app.get(SamlKeys, { strict: false }).signerFor(IDP);
    expect(answer).toMatchObject({ status: 'Success', issuer: participantEntityId });
    expect(await living(login)).toBe(0);
    expect(soapSps.of(a.id)).toHaveLength(1);
    expect(await ledgerOf(login)).toMatchObject({ cause: 'unspecified' });
  });

  it('SLO-62 over Redirect the answer goes to its own metadata endpoint', async () => {
    const a = await registerSp();
    const login = await signIn(a);
    const xml = idp.request({ destination: endpoint(), nameId: login.nameId });
    const token = tokenOf(await get(idp.redirect(endpoint(), xml, 'its state')));
    await settled(token);
    const answer = await redirectAnswerOf(token);
    expect(answer).toMatchObject({ status: 'Success', destination: soapSps.uri('the-idp/redirect'), relayState: 'its state' });
    expect(await living(login)).toBe(0);
  });
});
