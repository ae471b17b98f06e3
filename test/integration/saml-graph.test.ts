import type { LogoutAnswer, VerifiedSamlLogout } from '#coordinator';
import type { NameId } from '#domain';
import { readDeliveries, readLogout } from '#ledger';
import { findBuried, startSessions } from '#sessions';
import type { Session } from '#sessions';
import { backchannel, samlSp, startCoordination } from '../support/coordination.js';
import type { Coordination } from '../support/coordination.js';
import { eventually } from '../support/service.js';

let at: Coordination;
beforeAll(async () => {
  at = await startCoordination();
});
afterAll(() => at.close());
beforeEach(() => at.reset());

const ALICE: NameId = {
  value: 'alice',
  format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
  spNameQualifier: 'https://sp.example/saml',
};
let messages = 0;

/** A LogoutRequest that was verified. */
const request = (more: Partial<VerifiedSamlLogout> = {}): VerifiedSamlLogout => ({
  idpId: 'idp',
  issuer: 'https://sp.example/saml',
  messageId: `_m${++messages}`,
  forgetAt: new Date(at.clock.now().getTime() + 300_000),
  sp: null,
  nameId: ALICE,
  sessionIndexes: [],
  cause: 'user',
  ...more,
});
const asSp = (id: string, mayEndRoot = true) => ({ sp: { id, mayEndRoot } });
const end = async (more: Partial<VerifiedSamlLogout> = {}): Promise<LogoutAnswer | null> =>
  (await at.endBySamlRequest.end(request(more), () => Promise.resolve(null)))?.answer ?? null;

const live = async (): Promise<string[]> =>
  (await at.database.query<{ name: string }>(`SELECT COALESCE(sp_id, 'idp') AS name FROM sessions WHERE state = 'live' ORDER BY 1`)).map(
    (row) => row.name,
  );
async function deliveriesOf(answer: LogoutAnswer | null) {
  const logout = await readLogout(at.database, (answer as { logoutId: string }).logoutId);
  return readDeliveries(at.database, logout!);
}
const samlOf = (sp: string) =>
  at.database.query<{ saml: unknown }>('SELECT saml FROM deliveries WHERE sp_id = $1', [sp]).then((rows) => rows.map((row) => row.saml));

/** A person signed in at the IdP, at two SAML SPs and at an OIDC RP. */
async function signIn(): Promise<void> {
  await at.registerSp('saml-a', samlSp('soap'));
  await at.registerSp('saml-b', samlSp('soap', 'redirect'));
  await at.registerSp('rp');
  await at.take(
    { type: 'session.started', handles: { sid: 's', sub: 'alice' } },
    { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a', handles: { nameId: ALICE, sessionIndex: '_a' } },
    { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-b', handles: { nameId: { value: 'alice@b' }, sessionIndex: '_b' } },
    { type: 'session.joined', parent: { sid: 's' }, sp: 'rp' },
  );
}

describe('a LogoutRequest ends what it names', () => {
  it('SLO-25 an SP ends its session, the one above, and all others; it is not sent its own request back', async () => {
    await signIn();
    const answer = await end({ ...asSp('saml-a'), sessionIndexes: ['_a'] });
    expect(answer).toMatchObject({ kind: 'started', sessions: 4, settled: ['confirmed'] });
    expect(await live()).toEqual([]);
    const deliveries = await deliveriesOf(answer);
    expect(deliveries.map(({ spId, outcome }) => [spId, outcome])).toEqual([
      ['saml-a', 'confirmed'],
      ['saml-b', 'pending'],
      ['rp', 'pending'],
    ]);
    expect(deliveries[0]).toMatchObject({ detail: 'it asked for this logout itself', attempts: [], exposureMs: 0 });
  });

  it('the one who asked counts in the report, once, as told', async () => {
    await signIn();
    const answer = await end({ ...asSp('saml-a'), sessionIndexes: ['_a'] });
    const [logout] = await at.database.query('SELECT open, proven, failed, verdict FROM logouts');
    expect(logout).toEqual({ open: 2, proven: 1, failed: 0, verdict: 'pending' });
    const counted = await at.database.query<{ n: string }>(`SELECT sp_id, outcome, n::int FROM report_delivery_deltas`);
    expect(counted).toEqual([{ sp_id: 'saml-a', outcome: 'confirmed', n: 1 }]);
    expect(answer).toMatchObject({ verdict: 'pending' });
  });

  it('an SP that may not end the session above ends its own alone', async () => {
    await signIn();
    expect(await end({ ...asSp('saml-a', false), sessionIndexes: ['_a'] })).toMatchObject({
      kind: 'started',
      sessions: 1,
      verdict: 'complete',
    });
    expect(await live()).toEqual(['idp', 'rp', 'saml-b']);
  });

  it('SLO-89 an SP reaches only sessions of its own, and a NameID of another IdP does not match', async () => {
    await signIn();
    expect(await end(asSp('saml-b'))).toEqual({ kind: 'unknown' });
    expect(await end({ ...asSp('rp'), nameId: { value: 'alice@b' } })).toEqual({ kind: 'unknown' });
    expect(await end({ idpId: 'other', sp: null })).toEqual({ kind: 'unknown' });
    expect(await live()).toHaveLength(4);
  });

  it.each<[string, NameId]>([
    ['another Format', { ...ALICE, format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' }],
    ['another SPNameQualifier', { ...ALICE, spNameQualifier: 'https://other.example' }],
    ['a space at its end', { ...ALICE, value: 'alice ' }],
    ['another case', { ...ALICE, value: 'Alice' }],
    ['a look-alike letter', { ...ALICE, value: 'аlice' }],
    ['a NameQualifier that it did not have', { ...ALICE, nameQualifier: 'q' }],
  ])('SLO-7 SLOX-19 a NameID with %s names nobody', async (_, nameId) => {
    await signIn();
    expect(await end({ ...asSp('saml-a'), nameId })).toEqual({ kind: 'unknown' });
    expect(await live()).toHaveLength(4);
  });

  it('SLO-23 SLO-27 SLO-91 without a SessionIndex all sessions of the principal, with two those two, with an unknown one none', async () => {
    await at.registerSp('saml-a', samlSp('soap'));
    for (const index of ['_1', '_2', '_3']) {
      await at.take(
        { type: 'session.started', handles: { sid: `s${index}` } },
        { type: 'session.joined', parent: { sid: `s${index}` }, sp: 'saml-a', handles: { nameId: ALICE, sessionIndex: index } },
      );
    }
    expect(await end({ ...asSp('saml-a'), sessionIndexes: ['_9'] })).toEqual({ kind: 'unknown' });
    expect(await end({ ...asSp('saml-a'), sessionIndexes: ['_1', '_2'] })).toMatchObject({ kind: 'started', sessions: 4 });
    expect(await live()).toEqual(['idp', 'saml-a']);
    expect(await end(asSp('saml-a'))).toMatchObject({ kind: 'started', sessions: 2 });
    expect(await live()).toEqual([]);
  });

  it('the IdP itself asks: its session and all below it end, and every SP is told', async () => {
    await at.registerSp('saml-a', samlSp('soap'));
    await at.take(
      { type: 'session.started', handles: { nameId: ALICE, sessionIndex: '_idp' } },
      {
        type: 'session.joined',
        parent: { sessionIndex: '_idp' },
        sp: 'saml-a',
        handles: { nameId: { value: 'pairwise' }, sessionIndex: '_a' },
      },
    );
    const answer = await end({ sessionIndexes: ['_idp'] });
    expect(answer).toMatchObject({ kind: 'started', sessions: 2, settled: [] });
    expect(await samlOf('saml-a')).toEqual([{ nameId: { value: 'pairwise' }, sessionIndexes: ['_a'], cause: 'user' }]);
  });

  it('SLO-88 SLOX-14 of one message that comes 20 times at once one is carried out', async () => {
    await signIn();
    const copy = request({ ...asSp('saml-a') });
    const answers = await Promise.all(Array.from({ length: 20 }, () => at.endBySamlRequest.end(copy, () => Promise.resolve(null))));
    expect(answers.filter((answer) => answer !== null)).toHaveLength(1);
    expect(await at.database.query('SELECT 1 FROM logouts')).toHaveLength(1);
    at.clock.advance(301_000);
    expect(await at.endBySamlRequest.end(copy, () => Promise.resolve(null))).not.toBeNull();
  });

  it('what is written beside it is written with it, or not at all', async () => {
    await signIn();
    const broken = request({ ...asSp('saml-a') });
    await expect(at.endBySamlRequest.end(broken, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await live()).toHaveLength(4);
    expect(await at.endBySamlRequest.end(broken, () => Promise.resolve(null))).not.toBeNull();
  });
});

describe('what a SAML SP is told', () => {
  it('SLO-7 SLO-8 the NameID as it was, all SessionIndexes of one person in one message, and why', async () => {
    await at.registerSp('saml-a', samlSp('soap'));
    await at.take(
      { type: 'session.started', handles: { sid: 's' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a', handles: { nameId: ALICE, sessionIndex: '_1' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a', handles: { nameId: ALICE, sessionIndex: '_2' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a', handles: { nameId: { value: 'bob' }, sessionIndex: '_3' } },
      { type: 'session.ended', target: { sid: 's' }, cause: 'admin' },
    );
    expect(await samlOf('saml-a')).toEqual([
      { nameId: ALICE, sessionIndexes: ['_1', '_2'], cause: 'admin' },
      { nameId: { value: 'bob' }, sessionIndexes: ['_3'], cause: 'admin' },
    ]);
  });

  it('an SP that has another channel, too, is told of each session by itself', async () => {
    await at.registerSp('both', { ...samlSp('soap'), channels: [...samlSp('soap').channels, backchannel()] });
    await at.take(
      { type: 'session.started', handles: { sid: 's' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'both', handles: { nameId: ALICE, sessionIndex: '_1' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'both', handles: { nameId: ALICE, sessionIndex: '_2' } },
      { type: 'session.ended', target: { sid: 's' } },
    );
    expect(await samlOf('both')).toHaveLength(2);
  });

  it('a session without a NameID of its own bears the one above it, with its index', async () => {
    await at.registerSp('saml-a', samlSp('soap'));
    await at.registerSp('saml-b', samlSp('soap'));
    await at.take(
      { type: 'session.started', handles: { sid: 's', nameId: ALICE, sessionIndex: '_idp' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a' },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-b', handles: { nameId: { value: 'own' } } },
      { type: 'session.ended', target: { sid: 's' } },
    );
    expect(await samlOf('saml-a')).toEqual([{ nameId: ALICE, sessionIndexes: ['_idp'], cause: 'user' }]);
    expect(await samlOf('saml-b')).toEqual([{ nameId: { value: 'own' }, sessionIndexes: [], cause: 'user' }]);
  });

  it('SLO-7 a session without a NameID is skipped at an SP that is told by SAML alone, and says what to send', async () => {
    await at.registerSp('saml-a', samlSp('soap', 'redirect'));
    const results = await at.take(
      { type: 'session.started', handles: { sid: 's' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a' },
      { type: 'session.ended', target: { sid: 's' } },
    );
    const deliveries = await deliveriesOf({ kind: 'started', logoutId: results[2]!.logoutId! } as LogoutAnswer);
    expect(deliveries).toMatchObject([
      { outcome: 'skipped', channel: 'saml-soap', detail: expect.stringContaining('handles.nameId') as string },
    ]);
  });

  it('SLO-29 a logout that nobody asked for by SAML tells the SPs, too, and owes nobody an answer', async () => {
    await signIn();
    const [ended] = await at.take({ type: 'session.ended', target: { sid: 's' }, cause: 'incident', initiator: 'system' });
    expect(ended).toMatchObject({ status: 'accepted' });
    expect(await samlOf('saml-a')).toEqual([{ nameId: ALICE, sessionIndexes: ['_a'], cause: 'incident' }]);
    expect(await at.database.query('SELECT 1 FROM browser_flows')).toEqual([]);
  });

  it('an SP that needs the browser awaits one from the start, until its wait or its session is over', async () => {
    await at.registerSp('front', samlSp('redirect', 'post'));
    const expiresAt = new Date(at.clock.now().getTime() + 60_000);
    const answer = await at.take(
      { type: 'session.started', handles: { sid: 's' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'front', handles: { nameId: ALICE, sessionIndex: '_1' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'front', handles: { nameId: { value: 'x' } }, expiresAt },
      { type: 'session.ended', target: { sid: 's' } },
    );
    const deliveries = await deliveriesOf({ kind: 'started', logoutId: answer[3]!.logoutId! } as LogoutAnswer);
    const until = new Date(at.clock.now().getTime() + 3_600_000);
    expect(deliveries).toMatchObject([
      { outcome: 'awaiting-browser', channel: 'saml-redirect', nextAttemptAt: until, attempts: [] },
      { outcome: 'awaiting-browser', channel: 'saml-redirect', nextAttemptAt: expiresAt },
    ]);
  });
});

describe('SLO-24 a logout that came before its login', () => {
  const joinA = { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a', handles: { nameId: ALICE, sessionIndex: '_a' } } as const;
  beforeEach(async () => {
    await at.registerSp('saml-a', samlSp('soap'));
    await at.registerSp('rp');
  });

  it('of the IdP: the login is born dead, and nothing can join it', async () => {
    expect(await end({ sessionIndexes: ['_idp'] })).toEqual({ kind: 'unknown' });
    const [start] = await at.take({ type: 'session.started', handles: { nameId: ALICE, sessionIndex: '_idp' } });
    expect(start).toMatchObject({ status: 'session_ended' });
    const [join] = await at.take({ type: 'session.joined', parent: { sessionIndex: '_idp' }, sp: 'rp' });
    expect(join).toMatchObject({ status: 'session_ended', logoutId: expect.any(String) as string });
    expect(await live()).toEqual([]);
  });

  it('of an SP: its late session is born dead and takes what it hangs on with it; other SPs are not meant', async () => {
    await end({ ...asSp('saml-a'), sessionIndexes: ['_a'] });
    const results = await at.take(
      { type: 'session.started', handles: { sid: 's' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'rp', handles: { nameId: ALICE } },
    );
    expect(results.map((result) => result.status)).toEqual(['accepted', 'accepted']);
    const [late] = await at.take(joinA);
    expect(late).toMatchObject({ status: 'session_ended', logoutId: expect.any(String) as string });
    expect(await live()).toEqual([]);
    const deliveries = await deliveriesOf({ kind: 'started', logoutId: late!.logoutId! } as LogoutAnswer);
    expect(deliveries.map((delivery) => delivery.spId).sort()).toEqual(['rp', 'saml-a']);
  });

  it('another SessionIndex, or NameID, is not meant; without a SessionIndex every session is', async () => {
    await end({ ...asSp('saml-a'), sessionIndexes: ['_other'] });
    await at.take({ type: 'session.started', handles: { sid: 's' } });
    expect(await at.take(joinA)).toMatchObject([{ status: 'accepted' }]);
    await end({ ...asSp('saml-a'), nameId: { value: 'bob' }, rememberUntil: new Date(at.clock.now().getTime() + 60_000) });
    expect(await at.take({ ...joinA, handles: { nameId: { value: 'bob' }, sessionIndex: '_any' } })).toMatchObject([
      { status: 'session_ended' },
    ]);
  });

  it('one of every session of a person that does not say until when is not held against the next login', async () => {
    await at.take({ type: 'session.ended', target: { nameId: ALICE } });
    await end({ ...asSp('saml-a') });
    expect(await at.take({ type: 'session.started', handles: { sid: 's', nameId: ALICE, sessionIndex: '_idp' } }, joinA)).toMatchObject([
      { status: 'accepted' },
      { status: 'accepted' },
    ]);
  });

  it('is forgotten when its NotOnOrAfter has passed', async () => {
    await end({ ...asSp('saml-a'), rememberUntil: new Date(at.clock.now().getTime() + 60_000) });
    at.clock.advance(61_000);
    await at.take({ type: 'session.started', handles: { sid: 's' } });
    expect(await at.take(joinA)).toMatchObject([{ status: 'accepted' }]);
  });

  it('told by an event, too: NameID and SessionIndex name a session as a sid does', async () => {
    const handles = { nameId: ALICE, sessionIndex: '_idp' };
    await at.take({ type: 'session.ended', target: handles });
    expect(await at.take({ type: 'session.started', handles })).toMatchObject([{ status: 'session_ended' }]);
    const other = { ...handles, sessionIndex: '_2' };
    await at.take({ type: 'session.started', handles: other });
    await at.take({ type: 'session.ended', target: other });
    expect(await at.take({ type: 'session.started', handles: other })).toMatchObject([{ status: 'session_ended' }]);
  });

  it('a logout waits for a login that is under way with this NameID, and then sees it', async () => {
    const handles = { nameId: ALICE, sessionIndex: '_idp' };
    let logout: Promise<LogoutAnswer | null> | undefined;
    await at.database.transaction(async (sql) => {
      const login = { idpId: 'idp', handles, expiresAt: null, idleTimeoutSeconds: null };
      const [arrival] = await startSessions(sql, 'idp', [login], at.clock.now());
      expect(await findBuried(sql, 'idp', [(arrival as { session: Session }).session], at.clock.now())).toEqual([]);
      logout = end({ sessionIndexes: ['_idp'] });
      const waiting = () => at.database.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
      await eventually(waiting, (rows) => rows.length === 1);
    });
    expect(await logout).toMatchObject({ kind: 'started', sessions: 1 });
    expect(await live()).toEqual([]);
  });

  it('a login and a logout that race for a NameID nobody knows never leave a live session', async () => {
    const names = Array.from({ length: 60 }, (_, n): NameId => ({ value: `racer-${n}` }));
    await Promise.all(
      names.flatMap((nameId, n) => {
        const login = () => at.take({ type: 'session.started', handles: { nameId, sessionIndex: `_${n}` } });
        const logout = () => end({ nameId, sessionIndexes: [`_${n}`] });
        return n % 2 === 0 ? [login(), logout()] : [logout(), login()];
      }),
    );
    expect(await live()).toEqual([]);
  });
});

describe('one person, two protocols', () => {
  it('a root that has signed in by OIDC first learns its NameID from the later SAML login', async () => {
    await at.registerSp('saml-a', samlSp('soap'));
    await at.take(
      { type: 'session.started', handles: { sid: 's', sub: 'alice' } },
      { type: 'session.started', handles: { sid: 's', sub: 'alice', nameId: ALICE, sessionIndex: '_idp' } },
      { type: 'session.joined', parent: { sid: 's' }, sp: 'saml-a' },
    );
    expect(await end({ sessionIndexes: ['_idp'] })).toMatchObject({ kind: 'started', sessions: 2 });
  });
});
