import { createPrivateKey } from 'node:crypto';
import type { LogoutAnswer, VerifiedSamlLogout } from '#coordinator';
import { ExeuntError } from '#domain';
import type { Sql } from '#platform/database';
import { SamlMessageRefused } from '#protocol/saml';
import type { IncomingMessage, RefusalCode, VerifiedLogoutRequest, VerifiedLogoutResponse } from '#protocol/saml';
import { makeCredential, readRedirect, readSigned } from '../../../test/support/saml-peer.js';
import type { BelieveMessage } from './believe-message.js';
import type { Party } from './party.js';
import type { BrowserFlows, ReadStanding } from './ports.js';
import { ReceiveFrontChannel } from './receive-front-channel.js';
import { ReceiveSoap } from './receive-soap.js';
import { WriteAnswer } from './write-answer.js';

const now = new Date('2026-03-04T05:06:07Z');
const clock = { now: () => now };
const ours = makeCredential('exeunt');
const signer = { privateKey: createPrivateKey(ours.privateKey), certificate: ours.certificate, algorithm: 'rsa-sha256' as const };
const keys = {
  signerFor: () => Promise.resolve({ entityId: 'https://idp.example', participantEntityId: 'https://exeunt.example/sp', signer }),
};

const party = (more: Partial<Party> = {}): Party => ({
  spId: 'sp',
  entity: {
    entityId: 'https://sp.example',
    singleLogoutServices: [{ binding: 'redirect', location: 'https://sp.example/slo' }],
    signingCertificates: [],
    encryptionKeys: [],
    validUntil: null,
  },
  allowSha1: false,
  mayEndRoot: true,
  ...more,
});
const request: VerifiedLogoutRequest = {
  kind: 'request',
  binding: 'redirect',
  id: '_asked',
  issuer: 'https://sp.example',
  issueInstant: now,
  notOnOrAfter: null,
  reason: null,
  nameId: { value: 'alice' },
  sessionIndexes: [],
  asynchronous: false,
  relayState: 'state',
  forgetAt: now,
};
const response: VerifiedLogoutResponse = {
  kind: 'response',
  binding: 'redirect',
  id: '_r',
  issuer: 'https://sp.example',
  issueInstant: now,
  inResponseTo: '_ours',
  status: { code: 'Success', subCode: 'PartialLogout', message: null },
  relayState: null,
};
const refused = (code: RefusalCode) => new SamlMessageRefused(code, 'SLO-81', 'a text');
const started: LogoutAnswer = { kind: 'started', logoutId: 'l', sessions: 1, belowDueAt: null, settled: [], verdict: 'pending' };

/** What stands around the receiver, and what it was given. */
interface Around {
  party?: Party;
  endpoint?: Error;
  identify?: Error;
  verify?: VerifiedLogoutRequest | VerifiedLogoutResponse | Error;
  end?: LogoutAnswer | null | Error;
  outstanding?: boolean;
  sign?: Error;
  standing?: ReadStanding;
}

function around({ party: of = party(), endpoint, identify, verify = request, end = started, outstanding = true, sign }: Around) {
  const given = { endings: [] as VerifiedSamlLogout[], flows: [] as unknown[], answers: [] as unknown[] };
  const kind = verify instanceof Error ? 'request' : verify.kind;
  const message: IncomingMessage = { binding: 'redirect', kind, xml: '<x/>', relayState: 'state', querySignature: null };
  const believe = {
    read: (parse: () => IncomingMessage) => Promise.resolve().then(parse),
    checkEndpoint: () => (endpoint ? Promise.reject(endpoint) : Promise.resolve()),
    identify: (idpId: string, read: IncomingMessage) =>
      identify
        ? Promise.reject(identify)
        : Promise.resolve({
            idpId,
            message: { ...read, kind },
            claimed: { id: '_asked', issuer: 'https://sp.example', inResponseTo: null },
            party: of,
          }),
    verify: () => (verify instanceof Error ? Promise.reject(verify) : Promise.resolve({ verified: verify, isLegacy: false })),
  } as unknown as BelieveMessage;
  const ending = {
    end: async <Extra>(logout: VerifiedSamlLogout, within: (sql: Sql, answer: LogoutAnswer) => Promise<Extra>) => {
      given.endings.push(logout);
      if (end instanceof Error) throw end;
      return end && { answer: end, extra: await within({} as Sql, end) };
    },
  };
  const flows: BrowserFlows = {
    start: (_, flow) => (given.flows.push(flow), Promise.resolve({ token: 'token' })),
    takeAnswer: (...answer) => (given.answers.push(answer), Promise.resolve(outstanding)),
  };
  const answers = new WriteAnswer(sign ? { signerFor: () => Promise.reject(sign) } : keys, clock);
  return { believe, ending, flows, answers, message, given };
}

async function front(parts: Around = {}) {
  const { believe, ending, flows, answers, message, given } = around(parts);
  const { shown, record } = await new ReceiveFrontChannel(believe, ending, flows, answers, clock).receive('idp', 'redirect', () => message);
  return { shown, record, given };
}

/** The answer that the browser is sent away with. */
function told(shown: Awaited<ReturnType<typeof front>>['shown']) {
  if (shown.what !== 'answer' || shown.answer.method !== 'redirect') throw new Error(`no answer: ${JSON.stringify(shown)}`);
  return readRedirect(shown.answer.url, ours.certificate);
}

describe('a message that comes with a browser', () => {
  it('SLO-15 a request begins a way through the logout, at whose end its sender is answered', async () => {
    const { shown, record, given } = await front();
    expect(shown).toEqual({ what: 'flow', token: 'token' });
    const reply = { protocol: 'saml', spId: 'sp', inResponseTo: '_asked', binding: 'redirect', relayState: 'state' };
    expect(given.flows).toEqual([{ idpId: 'idp', logoutId: 'l', reply }]);
    expect(record).toMatchObject({ kind: 'request', party: { spId: 'sp' }, end: { is: 'accepted', led: 'started', logoutId: 'l' } });
  });

  it('SLO-22 so does one that finds nobody, and one that comes after the end', async () => {
    expect((await front({ end: { kind: 'unknown' } })).given.flows).toMatchObject([{ logoutId: null }]);
    expect((await front({ end: { kind: 'ended-before', logoutId: 'before' } })).given.flows).toMatchObject([{ logoutId: 'before' }]);
  });

  it('ASLO-3 whoever needs no answer gets none', async () => {
    expect((await front({ verify: { ...request, asynchronous: true } })).given.flows).toMatchObject([{ reply: null }]);
    expect((await front({ verify: { ...request, asynchronous: true }, end: new Error('no') })).shown).toEqual({
      what: 'error',
      status: 500,
    });
  });

  it('SLO-20 an SP that may not go up (any more) is denied', async () => {
    const { shown, given } = await front({ end: { kind: 'root-refused', spId: 'sp' } });
    expect(told(shown)).toMatchObject({ status: 'Responder/RequestDenied', relayState: 'state' });
    expect(given.flows).toEqual([]);
  });

  it.each<RefusalCode>(['expired', 'not_yet_valid', 'undecryptable'])(
    'SLO-55 a sender that is believed is told that its message is %s',
    async (code) => {
      const { shown, record, given } = await front({ verify: refused(code) });
      expect(told(shown)).toMatchObject({
        status: 'Requester',
        inResponseTo: '_asked',
        destination: 'https://sp.example/slo',
        relayState: 'state',
      });
      expect(record.end).toMatchObject({ is: 'refused', refusal: { code } });
      expect(given.endings).toEqual([]);
    },
  );

  it.each<RefusalCode>(['unsigned', 'bad_signature', 'forbidden_algorithm', 'wrong_destination', 'schema'])(
    'SLO-55 SLOX-20 one that is not believed is told nothing: %s',
    async (code) => {
      const { shown, given } = await front({ verify: refused(code) });
      expect(shown).toEqual({ what: 'error', status: 400 });
      expect(given.endings).toEqual([]);
    },
  );

  it('SLOX-14 a copy is shown to nobody but the person', async () => {
    const { shown, record, given } = await front({ end: null });
    expect(shown).toEqual({ what: 'error', status: 400 });
    expect(record.end).toMatchObject({ is: 'refused', refusal: { code: 'replayed', clause: 'SLO-88' } });
    expect(given.flows).toEqual([]);
  });

  it('a believed sender without an address for browsers is told nothing', async () => {
    const nowhere = party({ entity: { ...party().entity, singleLogoutServices: [] } });
    expect((await front({ party: nowhere, verify: refused('expired') })).shown).toEqual({ what: 'error', status: 400 });
  });

  it('SLO-16 SLO-93 when we cannot do it the sender is told, as long as we can sign', async () => {
    const end = new ExeuntError('unavailable', 'the database password=secret');
    const { shown, record } = await front({ end });
    expect(told(shown)).toMatchObject({ status: 'Responder' });
    expect(record.end).toEqual({ is: 'failed', fault: end });
    expect((await front({ end, sign: end })).shown).toEqual({ what: 'error', status: 503 });
    expect((await front({ identify: new Error('no') })).shown).toEqual({ what: 'error', status: 500 });
  });

  it('there is no endpoint of an identity provider without SAML', async () => {
    expect((await front({ endpoint: refused('not_registered') })).shown).toEqual({ what: 'error', status: 404 });
  });

  it('SLO-13 SLO-19 an answer goes where its request came from, with what it says', async () => {
    const { shown, record, given } = await front({ verify: response });
    expect(shown).toEqual({ what: 'taken' });
    expect(given.answers).toMatchObject([[{ idpId: 'idp', spId: 'sp', inResponseTo: '_ours' }, { result: 'partial' }]]);
    expect(record.end).toMatchObject({ is: 'accepted', led: 'answered' });
  });

  it.each<[string, Around]>([
    ['that nobody waits for', { verify: response, outstanding: false }],
    ['to nothing', { verify: { ...response, inResponseTo: null } }],
    ['of the identity provider, which we ask nothing', { verify: response, party: party({ spId: null }) }],
  ])('SLO-13 SLOX-14 an answer %s is refused', async (_, parts) => {
    const { shown, record } = await front(parts);
    expect(shown).toEqual({ what: 'error', status: 400 });
    expect(record.end).toMatchObject({ is: 'refused', refusal: { code: 'not_outstanding', clause: 'SLO-13' } });
  });
});

const ENVELOPE =
  '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/></S:Body></S:Envelope>';

async function soap(parts: Around = {}, body = ENVELOPE) {
  const { believe, ending, answers, given } = around(parts);
  const standing = parts.standing ?? (() => Promise.resolve({ verdict: 'complete' as const, isMoving: false }));
  const { answer, record } = await new ReceiveSoap(believe, ending, standing, answers, clock, 50).receive('idp', body);
  const message = answer.status === 200 ? readSigned(answer.xml, ours.certificate) : null;
  return { answer, message, record, given };
}

describe('a message over SOAP', () => {
  it('SLO-17 SLO-28 is answered Success when all are gone, at once when only a browser could do more', async () => {
    expect((await soap()).message).toMatchObject({ status: 'Success', inResponseTo: '_asked', issuer: 'https://idp.example' });
    const standing = () => Promise.resolve({ verdict: 'pending' as const, isMoving: false });
    expect((await soap({ standing })).message).toMatchObject({ status: 'Success/PartialLogout' });
  });

  it('SLO-18 SLO-30 waits while something moves, and not beyond its time', async () => {
    let looks = 0;
    const until = () =>
      Promise.resolve(++looks < 3 ? { verdict: 'pending' as const, isMoving: true } : { verdict: 'complete' as const, isMoving: false });
    expect((await soap({ standing: until })).message).toMatchObject({ status: 'Success' });
    const never = () => Promise.resolve({ verdict: 'pending' as const, isMoving: true });
    expect((await soap({ standing: never })).message).toMatchObject({ status: 'Success/PartialLogout' });
  });

  it('what is not known to be gone is not said to be', async () => {
    expect((await soap({ standing: () => Promise.reject(new Error('away')) })).message).toMatchObject({ status: 'Success/PartialLogout' });
  });

  it('SLO-22 nothing to end is a success, also after the retention has forgotten it', async () => {
    for (const end of [{ kind: 'unknown' }, { kind: 'ended-before', logoutId: null }, { kind: 'ended-before', logoutId: 'l' }] as const) {
      expect((await soap({ end, standing: () => Promise.resolve(null) })).message).toMatchObject({ status: 'Success' });
    }
  });

  it('SLO-17 an SP whose logout stays at its own session', async () => {
    expect((await soap({ party: party({ mayEndRoot: false }) })).message).toMatchObject({ status: 'Responder/PartialLogout' });
    expect((await soap({ end: { kind: 'root-refused', spId: 'sp' } })).message).toMatchObject({ status: 'Responder/RequestDenied' });
  });

  it.each<[RefusalCode | 'copy', string]>([
    ['expired', 'Requester'],
    ['not_yet_valid', 'Requester'],
    ['undecryptable', 'Requester'],
    ['wrong_version', 'VersionMismatch'],
    ['copy', 'Requester/RequestDenied'],
  ])('SLO-59 SLO-21 %s: a believed sender gets HTTP 200 with an error that is signed', async (code, status) => {
    const { message, answer } = await soap(code === 'copy' ? { end: null } : { verify: refused(code) });
    expect([answer.status, message?.status]).toEqual([200, status]);
  });

  it.each<[string, Around]>([
    ['an unknown Issuer', { identify: refused('unknown_issuer') }],
    ['no signature', { verify: refused('unsigned') }],
    ['a bad signature', { verify: refused('bad_signature') }],
    ['another Destination', { verify: refused('wrong_destination') }],
    ['an answer by itself', { verify: response }],
  ])('SLO-59 %s: 403, and nothing is signed', async (_, parts) => {
    const { answer, given } = await soap(parts);
    expect(answer).toEqual({ status: 403 });
    expect(given.endings).toEqual([]);
  });

  it('SLO-57 SLO-59 what is no SOAP message gets a fault', async () => {
    for (const body of ['', 'nonsense', '<a/>', ENVELOPE.replace('<S:Body>', '<S:Body><other/>')]) {
      const { answer } = await soap({}, body);
      expect(answer).toMatchObject({ status: 500 });
      expect((answer as { xml: string }).xml).toContain('<faultcode>soap:Client</faultcode>');
    }
  });

  it('SLO-16 SLO-93 when we cannot do it: a signed Responder, or a fault when we cannot even sign', async () => {
    const end = new Error('password=secret');
    expect((await soap({ end })).message).toMatchObject({ status: 'Responder' });
    for (const parts of [{ end, sign: end }, { identify: end }]) {
      const { answer } = await soap(parts);
      expect(answer).toMatchObject({ status: 500 });
      expect((answer as { xml: string }).xml).toContain('soap:Server');
      expect((answer as { xml: string }).xml).not.toContain('secret');
    }
  });

  it('there is no endpoint of an identity provider without SAML', async () => {
    expect((await soap({ endpoint: refused('not_registered') })).answer).toEqual({ status: 404 });
  });
});
