import { createPrivateKey } from 'node:crypto';
import { CAUSES } from '#domain';
import { REASON, SamlMessageRefused } from '#protocol/saml';
import type { SamlEndpoint } from '#protocol/saml';
import type { IdentityProvider, SamlSigning, ServiceProvider } from '#registry';
import { makeCredential, readRedirect, readSigned } from '../../../test/support/saml-peer.js';
import { buildFormPostPage } from '../form-post-page.js';
import { AnswerInitiator } from './answer-initiator.js';
import { causeOf } from './cause-of.js';
import { logoutOf } from './logout-of.js';
import { findParty } from './party.js';
import type { Party } from './party.js';
import { OUR_FAULT, statusOf, statusOfRefusal } from './status-of.js';
import { WriteAnswer } from './write-answer.js';

const now = new Date('2026-03-04T05:06:07Z');
const ours = makeCredential('exeunt');
const signing: SamlSigning = {
  entityId: 'https://idp.example',
  participantEntityId: 'https://exeunt.example/sp',
  signer: { privateKey: createPrivateKey(ours.privateKey), certificate: ours.certificate, algorithm: 'rsa-sha256' },
};
const answers = new WriteAnswer({ signerFor: () => Promise.resolve(signing) }, { now: () => now });

const sp = (...singleLogoutServices: SamlEndpoint[]): ServiceProvider => ({
  id: 'sp',
  idp: 'idp',
  name: 'sp',
  layer: 'sp',
  channels: [{ type: 'saml', bindings: ['redirect'], encryptNameId: false, allowSha1: false }],
  saml: { entityId: 'https://sp.example', singleLogoutServices, signingCertificates: [], encryptionKeys: [], validUntil: null },
  postLogoutRedirectUris: [],
  timeoutMs: null,
  maxConcurrency: null,
  maxPerSecond: null,
  mayEndRoot: true,
  enabled: true,
  createdAt: now,
  updatedAt: now,
});
const partyWith = (...endpoints: SamlEndpoint[]): Party => ({
  spId: 'sp',
  entity: sp(...endpoints).saml!,
  allowSha1: false,
  mayEndRoot: true,
});
const redirect: SamlEndpoint = { binding: 'redirect', location: 'https://sp.example/slo' };
const post: SamlEndpoint = { binding: 'post', location: 'https://sp.example/slo-post' };
const owed = (to: Party) => ({ idpId: 'idp', to, inResponseTo: '_asked', status: statusOf('complete', true) });
const came = (binding: 'redirect' | 'post', relayState: string | null = null) => ({ binding, relayState });

describe('the status that the one who asked gets', () => {
  it('SLO-17 SLO-18 Success when all are proven gone, Success/PartialLogout for everything weaker', () => {
    expect(statusOf('complete', true)).toEqual({ code: 'Success', subCode: null, message: null });
    for (const verdict of ['promised', 'unproven', 'partial', 'failed', 'pending'] as const) {
      expect(statusOf(verdict, true)).toEqual({ code: 'Success', subCode: 'PartialLogout', message: null });
    }
  });

  it('SLO-17 an SP that may not end the session above its own is not told that it has ended', () => {
    expect(statusOf('complete', false)).toMatchObject({ code: 'Responder', subCode: 'PartialLogout' });
  });

  it.each([
    ['expired', 'Requester', null],
    ['undecryptable', 'Requester', null],
    ['replayed', 'Requester', 'RequestDenied'],
    ['wrong_version', 'VersionMismatch', null],
  ] as const)('SLO-20 SLO-21 for a request that is %s: %s', (refused, code, subCode) => {
    const refusal = new SamlMessageRefused(refused, 'SLO-88', 'why', 'for the log alone');
    expect(statusOfRefusal(refusal)).toEqual({ code, subCode, message: 'why' });
  });

  it('SLO-16 Responder when the fault is ours, and nothing of it', () => {
    expect(OUR_FAULT).toMatchObject({ code: 'Responder', subCode: null });
  });
});

describe('SLO-6 why a logout was asked for', () => {
  it.each([
    [REASON.user, 'user', 'user'],
    [REASON.admin, 'admin', 'admin'],
    [REASON.globalTimeout, 'unspecified', 'absolute'],
    [REASON.spTimeout, 'unspecified', 'idle'],
    ['something of their own', 'unspecified', 'unspecified'],
    [null, 'user', 'unspecified'],
  ])('%s means %s from an SP, %s from the identity provider', (reason, fromSp, fromIdp) => {
    expect([causeOf(reason, false), causeOf(reason, true)]).toEqual([fromSp, fromIdp]);
    expect(CAUSES).toEqual(expect.arrayContaining([fromSp, fromIdp]));
  });
});

describe('what a request asks for', () => {
  const request = {
    kind: 'request' as const,
    binding: 'soap' as const,
    id: '_1',
    issuer: 'https://sp.example',
    issueInstant: now,
    notOnOrAfter: null,
    reason: null,
    nameId: { value: 'alice' },
    sessionIndexes: ['_a'],
    asynchronous: false,
    relayState: null,
    forgetAt: now,
  };

  it('SLO-89 an SP asks for its own sessions, the identity provider for all', () => {
    expect(logoutOf('idp', partyWith(), request, now)).toEqual({
      idpId: 'idp',
      issuer: 'https://sp.example',
      messageId: '_1',
      forgetAt: now,
      sp: { id: 'sp', mayEndRoot: true },
      nameId: { value: 'alice' },
      sessionIndexes: ['_a'],
      cause: 'user',
    });
    expect(logoutOf('idp', { ...partyWith(), spId: null }, request, now)).toMatchObject({ sp: null, cause: 'unspecified' });
  });

  it('SLO-24 it is remembered until its NotOnOrAfter, and for a day at most', () => {
    const until = (notOnOrAfter: Date) => logoutOf('idp', partyWith(), { ...request, notOnOrAfter }, now).rememberUntil;
    const soon = new Date(now.getTime() + 300_000);
    expect(until(soon)).toEqual(soon);
    expect(until(new Date('9999-12-31T00:00:00Z'))).toEqual(new Date(now.getTime() + 86_400_000));
  });
});

describe('who is meant by an Issuer', () => {
  const find = (found: Awaited<ReturnType<Parameters<typeof findParty>[0]['find']>>) =>
    findParty({ find: () => Promise.resolve(found) }, 'idp', 'https://sp.example', now);
  const expired = { ...sp(), saml: { ...sp().saml!, validUntil: '2026-03-04T05:06:07Z' } };

  it('an SP that is there', async () => {
    await expect(find({ kind: 'sp', sp: sp(redirect) })).resolves.toEqual(partyWith(redirect));
  });

  it.each([
    ['a stranger', null, /nobody/],
    ['SLOX-16 one that is disabled', { kind: 'sp' as const, sp: { ...sp(), enabled: false } }, /disabled/],
    ['SLO-75 one whose metadata has run out', { kind: 'sp' as const, sp: expired }, /valid until/],
    ['one without SAML', { kind: 'sp' as const, sp: { ...sp(), channels: [], saml: null } }, /no SAML side/],
    ['an identity provider without SAML', { kind: 'idp' as const, idp: { saml: null } as IdentityProvider }, /no SAML side/],
  ])('SLOX-16 %s is refused with the same words as every other, and why stands in the log', async (_, found, detail) => {
    const refused = await find(found).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SamlMessageRefused);
    expect(refused).toMatchObject({ code: 'unknown_issuer', description: 'the Issuer is not known here' });
    expect((refused as SamlMessageRefused).detail).toMatch(detail);
  });
});

describe('where an answer goes', () => {
  it('SLO-43 SLO-72 to the ResponseLocation, signed, with that Destination', async () => {
    const to = partyWith({ ...redirect, responseLocation: 'https://sp.example/done?a=b' });
    const answer = await answers.overBrowser(owed(to), came('redirect', 'r s/+'));
    const { url } = answer as { url: string };
    expect(url.startsWith('https://sp.example/done?a=b&SAMLResponse=')).toBe(true);
    expect(readRedirect(url, ours.certificate)).toMatchObject({
      root: 'LogoutResponse',
      issuer: 'https://idp.example',
      destination: 'https://sp.example/done?a=b',
      inResponseTo: '_asked',
      status: 'Success',
      relayState: 'r s/+',
    });
  });

  it('SLO-56 by the binding by which the request came, else by the one that there is', async () => {
    const method = async (to: Party, binding: 'redirect' | 'post') => (await answers.overBrowser(owed(to), came(binding)))?.method ?? null;
    expect(await method(partyWith(redirect, post), 'post')).toBe('post');
    expect(await method(partyWith(post, redirect), 'redirect')).toBe('redirect');
    expect(await method(partyWith(redirect), 'post')).toBe('redirect');
    expect(await method(partyWith(post), 'redirect')).toBe('post');
    expect(await method(partyWith({ binding: 'soap', location: 'https://sp.example/soap' }), 'redirect')).toBeNull();
  });

  it('SLO-47 SLO-52 as a form with the signature inside the message and the RelayState as it came', async () => {
    const answer = await answers.overBrowser(owed(partyWith(post)), came('post', '"><b>'));
    const { action, fields } = answer as { action: string; fields: { name: string; value: string }[] };
    expect(action).toBe('https://sp.example/slo-post');
    expect(fields[1]).toEqual({ name: 'RelayState', value: '"><b>' });
    const message = readSigned(Buffer.from(fields[0]!.value, 'base64').toString(), ours.certificate);
    expect(message).toMatchObject({ destination: 'https://sp.example/slo-post', inResponseTo: '_asked' });
  });

  it('towards the identity provider we are an SP', async () => {
    const answer = await answers.overBrowser(owed({ ...partyWith(redirect), spId: null }), came('redirect'));
    expect(readRedirect((answer as { url: string }).url, ours.certificate).issuer).toBe('https://exeunt.example/sp');
  });

  it('SLO-57 SLO-61 over SOAP it is signed, and has no Destination', async () => {
    const xml = await answers.overSoap(owed(partyWith()));
    expect(readSigned(xml, ours.certificate)).toMatchObject({ destination: null, inResponseTo: '_asked', status: 'Success' });
  });
});

describe('the answer at the end of the way of a browser', () => {
  const initiator = (found: ServiceProvider | null, idp: IdentityProvider | null = null) =>
    new AnswerInitiator({ find: () => Promise.resolve(idp) }, { find: () => Promise.resolve(found) }, answers);
  const reply = { protocol: 'saml' as const, spId: 'sp', inResponseTo: '_asked', binding: 'redirect' as const, relayState: 'r' };
  const statusIn = async (found: ServiceProvider, verdict: 'complete' | 'pending') => {
    const answer = await initiator(found).answer({ idpId: 'idp', reply, verdict });
    return readRedirect((answer as { url: string }).url, ours.certificate).status;
  };

  it('SLO-18 SLO-30 what is still open makes it a partial one', async () => {
    expect(await statusIn(sp(redirect), 'complete')).toBe('Success');
    expect(await statusIn(sp(redirect), 'pending')).toBe('Success/PartialLogout');
    expect(await statusIn({ ...sp(redirect), mayEndRoot: false }, 'complete')).toBe('Responder/PartialLogout');
  });

  it('there is none where nobody is owed one, or nobody is left', async () => {
    expect(await initiator(sp(redirect)).answer({ idpId: 'idp', reply: null, verdict: 'complete' })).toBeNull();
    expect(await initiator(null).answer({ idpId: 'idp', reply, verdict: 'complete' })).toBeNull();
    expect(await initiator(null).answer({ idpId: 'idp', reply: { ...reply, spId: null }, verdict: 'complete' })).toBeNull();
  });
});

describe('the page that sends a form', () => {
  it('SLO-48 SLOX-18 escapes every value, and works by a button without scripts', () => {
    const { html, headers } = buildFormPostPage({
      action: 'https://sp.example/?a="b',
      fields: [{ name: 'RelayState', value: '"><script>' }],
    });
    expect(html).not.toContain('"><script>');
    expect(html).toContain('value="&#34;&#62;&#60;script&#62;"');
    expect(html).toContain('action="https://sp.example/?a=&#34;b"');
    expect(html).toMatch(/<noscript>.*<button type="submit">/);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';script-src 'sha256-/);
    expect(headers).toMatchObject({ 'cache-control': 'no-cache, no-store', pragma: 'no-cache' });
  });
});
