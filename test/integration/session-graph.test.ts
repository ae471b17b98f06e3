import { readDeliveries, readLogout } from '#ledger';
import { readSession, readSessionGraph } from '#sessions';
import { backchannel, startCoordination } from '../support/coordination.js';
import type { Coordination } from '../support/coordination.js';

let c: Coordination;
beforeAll(async () => {
  c = await startCoordination();
});
beforeEach(async () => {
  await c.reset();
  for (const sp of ['app1', 'app2', 'app3']) await c.registerSp(sp);
  await c.registerSp('proxy', { layer: 'gateway' });
});
afterAll(() => c.close());

const deliveriesOf = async (logoutId: string) => readDeliveries(c.database, (await readLogout(c.database, logoutId))!);
const stateOf = async (sessionId: string) => (await readSession(c.database, sessionId))!.state;

async function login(sid: string, sub = 'alice', idp = 'idp'): Promise<string> {
  const [started] = await c.take({ type: 'session.started', idp, handles: { sid, sub } });
  return started!.sessionId!;
}
async function join(sp: string, parent: object, handles: object = {}): Promise<string> {
  const [joined] = await c.take({ type: 'session.joined', sp, parent, handles });
  expect(joined).toMatchObject({ status: 'accepted' });
  return joined!.sessionId!;
}
const logout = async (handles: object, more: object = {}) => (await c.take({ type: 'session.ended', target: handles, ...more }))[0]!;

describe('a logout ends what it names and all that hangs on it', () => {
  it('ends every session below the one that is named, at any depth, and nothing beside it', async () => {
    await login('s1');
    await login('s2');
    const proxy = await join('proxy', { sid: 's1' }, { sid: 'p1' });
    const direct = await join('app1', { sid: 's1' });
    const behind = await join('app2', { sid: 'p1' });
    const deeper = await join('app3', { sessionId: behind });
    const beside = await join('app1', { sid: 's2' });

    const { logoutId } = await logout({ sid: 's1' });

    for (const session of [proxy, direct, behind, deeper]) expect(await stateOf(session)).toBe('ended');
    expect(await stateOf(beside)).toBe('live');
    expect((await deliveriesOf(logoutId!)).map((d) => d.sessionId).sort()).toEqual([proxy, direct, behind, deeper].sort());
    expect(c.enqueued).toEqual([logoutId]);
  });

  it('ends a session when any one of its several parents ends', async () => {
    await login('s1');
    await login('s2');
    const shared = await join('app1', { sid: 's1' }, { sid: 'rp-1' });
    expect(await join('app1', { sid: 's2' }, { sid: 'rp-1' })).toBe(shared);

    await logout({ sid: 's2' });

    expect(await stateOf(shared)).toBe('ended');
    const graph = await readSessionGraph(c.database, (await readSession(c.database, shared))!);
    expect(graph.sessions).toHaveLength(3);
    expect(graph.edges).toHaveLength(2);
  });

  it('cuts a cycle: an edge that would close one is left out', async () => {
    await login('s1');
    const a = await join('app1', { sid: 's1' }, { sid: 'a' });
    const b = await join('app2', { sid: 'a' }, { sid: 'b' });
    expect(await join('app1', { sid: 'b' }, { sid: 'a' })).toBe(a);

    const graph = await readSessionGraph(c.database, (await readSession(c.database, b))!);
    expect(graph.edges.some((edge) => edge.parentId === b && edge.childId === a)).toBe(false);
    const { logoutId } = await logout({ sid: 's1' });
    expect(await deliveriesOf(logoutId!)).toHaveLength(2);
  });

  it('two sessions of one user at one SP are two deliveries', async () => {
    await login('s1');
    await join('app1', { sid: 's1' }, { sid: 'rp-1' });
    await join('app1', { sid: 's1' }, { sid: 'rp-2' });
    const { logoutId } = await logout({ sid: 's1' });
    expect(await deliveriesOf(logoutId!)).toHaveLength(2);
  });

  it('an SP that is told of persons is told once, and the delivery names all sessions', async () => {
    await c.registerSp('by-user', { channels: [backchannel(undefined, { tell: 'user' })] });
    await login('s1');
    const one = await join('by-user', { sid: 's1' }, { sid: 'rp-1' });
    const two = await join('by-user', { sid: 's1' }, { sid: 'rp-2' });
    const { logoutId } = await logout({ sid: 's1' });
    const [only, ...rest] = await deliveriesOf(logoutId!);
    expect(rest).toEqual([]);
    expect([only!.sessionId, ...only!.alsoSessions!].sort()).toEqual([one, two].sort());
  });

  it('ends an SP session alone, or with its root where the SP may', async () => {
    await c.registerSp('timid', { mayEndRoot: false });
    const root = await login('s1');
    const timid = await join('timid', { sid: 's1' }, { sid: 't1' });
    const bold = await join('app1', { sid: 's1' }, { sid: 'b1' });
    const other = await join('app2', { sid: 's1' }, { sid: 'o1' });

    await logout({ sid: 'b1' });
    expect([await stateOf(bold), await stateOf(root)]).toEqual(['ended', 'live']);

    expect(await logout({ sid: 't1' }, { scope: 'root' })).toMatchObject({ status: 'rejected', error: { code: 'forbidden' } });
    expect([await stateOf(timid), await stateOf(root)]).toEqual(['live', 'live']);

    expect(await logout({ sid: 'o1' }, { scope: 'root' })).toMatchObject({ status: 'accepted' });
    expect([await stateOf(root), await stateOf(other), await stateOf(timid)]).toEqual(['ended', 'ended', 'ended']);
  });
});

describe('handles are matched per IdP and per protocol, never by bare text', () => {
  it('the same sid at two IdPs are two sessions', async () => {
    await c.registerSp('foreign', { idp: 'other' });
    const mine = await login('s1', 'alice', 'idp');
    const theirs = await login('s1', 'alice', 'other');
    await logout({ sid: 's1' });
    expect([await stateOf(mine), await stateOf(theirs)]).toEqual(['ended', 'live']);
  });

  it('an OIDC sub does not match a SAML NameID, an e-mail or a sid of the same text', async () => {
    const [saml] = await c.take({ type: 'session.started', handles: { nameId: { value: 'bob' }, sessionIndex: 'x1' } });
    const [mail] = await c.take({ type: 'session.started', handles: { sid: 'm', email: 'bob' } });
    const [sid] = await c.take({ type: 'session.started', handles: { sid: 'bob' } });
    const [oidc] = await c.take({ type: 'session.started', handles: { sid: 'q', sub: 'bob' } });
    await logout({ sub: 'bob' });
    const states = await Promise.all([saml, mail, sid, oidc].map((result) => stateOf(result!.sessionId!)));
    expect(states).toEqual(['live', 'live', 'live', 'ended']);
  });

  it('a NameID matches with all its attributes or not at all', async () => {
    const [plain] = await c.take({ type: 'session.started', handles: { nameId: { value: 'bob' } } });
    const [qualified] = await c.take({
      type: 'session.started',
      handles: { nameId: { value: 'bob', nameQualifier: 'https://idp.example' } },
    });
    await logout({ nameId: { value: 'bob', nameQualifier: 'https://idp.example' } });
    expect([await stateOf(plain!.sessionId!), await stateOf(qualified!.sessionId!)]).toEqual(['live', 'ended']);
  });

  it("BCL-17 sub alone ends every session of the person; sid with another person's sub ends none", async () => {
    const one = await login('s1');
    const two = await login('s2');
    const bob = await login('s3', 'bob');
    expect(await logout({ sid: 's1', sub: 'bob' })).toEqual({ id: expect.any(String), status: 'accepted', logoutId: null });
    expect(await stateOf(one)).toBe('live');
    await logout({ sub: 'alice' });
    expect([await stateOf(one), await stateOf(two), await stateOf(bob)]).toEqual(['ended', 'ended', 'live']);
  });

  it('an SP session bears the sid of the session above it unless it has its own', async () => {
    await login('s1', 'alice');
    const heir = await join('app1', { sid: 's1' });
    const own = await join('app2', { sid: 's1' }, { sid: 'rp-9', sub: 'pairwise' });
    const sessions = await Promise.all([heir, own].map((id) => readSession(c.database, id)));
    expect(sessions.map((s) => [s!.tokenSid, s!.tokenSub])).toEqual([
      ['s1', 'alice'],
      ['rp-9', 'pairwise'],
    ]);
  });

  it('an e-mail is matched without case', async () => {
    const [session] = await c.take({ type: 'session.started', handles: { email: 'Bob@Example.org' } });
    await logout({ email: 'bob@example.ORG' });
    expect(await stateOf(session!.sessionId!)).toBe('ended');
  });
});

describe('tombstones: what has ended stays ended', () => {
  it('a join that follows the end is answered session_ended, and its logout is sent at once', async () => {
    await login('s1');
    const first = await logout({ sid: 's1' });
    const [late] = await c.take({ type: 'session.joined', sp: 'app1', parent: { sid: 's1' } });
    expect(late).toMatchObject({ status: 'session_ended', logoutId: first.logoutId });
    const sent = (await readSession(c.database, late!.sessionId!))!;
    expect(sent.state).toBe('ended');
    const followUp = (await readLogout(c.database, sent.endedBy!))!;
    expect(followUp).toMatchObject({ follows: first.logoutId, initiator: 'late-join' });
    expect(await deliveriesOf(followUp.id)).toMatchObject([{ spId: 'app1', sessionId: late!.sessionId, outcome: 'pending' }]);
    expect(c.enqueued).toContain(followUp.id);
  });

  it('a gateway that uses a sid again means its new session, not the one that has ended', async () => {
    await login('s1');
    await join('proxy', { sid: 's1' }, { sid: 'p1' });
    await logout({ sid: 'p1' });
    await join('proxy', { sid: 's1' }, { sid: 'p1' });
    expect(await stateOf(await join('app1', { sid: 'p1' }))).toBe('live');
  });

  it('a login with a sid that has ended is answered session_ended', async () => {
    await login('s1');
    const { logoutId } = await logout({ sid: 's1' });
    expect(await c.take({ type: 'session.started', handles: { sid: 's1' } })).toMatchObject([{ status: 'session_ended', logoutId }]);
  });

  it('a logout that overtakes its login is remembered by its sid', async () => {
    expect(await logout({ sid: 'soon' })).toMatchObject({ status: 'accepted', logoutId: null });
    expect(await c.take({ type: 'session.started', handles: { sid: 'soon' } })).toMatchObject([{ status: 'session_ended' }]);
    const [late] = await c.take({ type: 'session.joined', sp: 'app1', parent: { sid: 'soon' } });
    expect(late).toMatchObject({ status: 'session_ended' });
    expect((await readSession(c.database, late!.sessionId!))!.state).toBe('ended');
  });

  it('joins that race with the logout all end, whoever wins', async () => {
    for (let round = 0; round < 10; round++) {
      await login(`race-${round}`);
      const joins = Array.from({ length: 8 }, (_, at) =>
        c.take({
          type: 'session.joined',
          id: `j-${round}-${at}`,
          sp: 'app1',
          parent: { sid: `race-${round}` },
          handles: { sid: `rp-${round}-${at}` },
        }),
      );
      const ended = c.take({ type: 'session.ended', id: `l-${round}`, target: { sid: `race-${round}` } });
      const results = (await Promise.all(joins)).flat();
      await ended;
      for (const result of results) {
        const session = (await readSession(c.database, result.sessionId!))!;
        expect(session).toMatchObject({ state: 'ended', endedBy: expect.any(String) });
        const told = await c.database.query('SELECT 1 FROM deliveries WHERE session_id = $1', [session.id]);
        expect(told).toHaveLength(1);
      }
    }
  });

  it('a login and a logout that race for a sid nobody knows never leave a live session', async () => {
    for (let round = 0; round < 20; round++) {
      const [started, ended] = await Promise.all([
        c.take({ type: 'session.started', id: `s-${round}`, handles: { sid: `unknown-${round}` } }),
        c.take({ type: 'session.ended', id: `e-${round}`, target: { sid: `unknown-${round}` } }),
      ]);
      expect(ended[0]!.status).toBe('accepted');
      const rows = await c.database.query<{ state: string }>('SELECT state FROM sessions WHERE sid = $1', [`unknown-${round}`]);
      expect({ rows, started: started[0]!.status }).toMatchObject({ rows: [{ state: 'ended' }] });
    }
  });

  it('two logouts of one session at once are one logout', async () => {
    await login('s1');
    await join('app1', { sid: 's1' });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        c.coordinateLogout.logOut('idp', { target: { sid: 's1' }, cause: 'admin', initiator: 'admin', scope: 'session', reason: null }),
      ),
    );
    expect(answers.filter((answer) => answer.kind === 'started')).toHaveLength(1);
    const ids = answers.map((answer) => ('logoutId' in answer ? answer.logoutId : null));
    expect(new Set(ids).size).toBe(1);
    expect(c.enqueued).toHaveLength(1);
  });
});

describe('events are idempotent by id, per IdP', () => {
  it('the same event posted 100 times at once makes one logout', async () => {
    await login('s1');
    await join('app1', { sid: 's1' });
    const results = await Promise.all(
      Array.from({ length: 100 }, () => c.take({ type: 'session.ended', id: 'once', target: { sid: 's1' } })),
    );
    const statuses = results.map(([result]) => result!.status);
    expect(statuses.filter((status) => status === 'accepted')).toHaveLength(1);
    expect(statuses.filter((status) => status === 'duplicate')).toHaveLength(99);
    expect(new Set(results.map(([result]) => result!.logoutId)).size).toBe(1);
    expect(await c.database.query('SELECT 1 FROM logouts')).toHaveLength(1);
  });

  it('of one id twice in a batch the first is taken', async () => {
    const results = await c.take(
      { type: 'session.started', id: 'x', handles: { sid: 'a' } },
      { type: 'session.started', id: 'x', handles: { sid: 'b' } },
    );
    expect(results.map((result) => result.status)).toEqual(['accepted', 'duplicate']);
    expect(await c.database.query("SELECT 1 FROM sessions WHERE sid = 'b'")).toEqual([]);
  });

  it('batches that overlap, in any order and at once, take each event once', async () => {
    const events = Array.from(
      { length: 60 },
      (_, at) => ({ type: 'session.started', id: `o-${at}`, handles: { sid: `o-${at}` } }) as const,
    );
    const batches = await Promise.all([c.take(...events), c.take(...events.toReversed()), c.take(...events.slice(20, 50))]);
    expect(batches.flat().filter((result) => result.status === 'accepted')).toHaveLength(60);
    expect(await c.database.query('SELECT 1 FROM sessions')).toHaveLength(60);
  });

  it('a rejected event leaves no trace and is taken when it is sent again, mended', async () => {
    const joining = { type: 'session.joined', id: 'early', sp: 'app1', parent: { sid: 's1' } } as const;
    expect(await c.take(joining)).toMatchObject([{ status: 'rejected', error: { code: 'unknown_parent' } }]);
    await login('s1');
    expect(await c.take(joining)).toMatchObject([{ status: 'accepted' }]);
    expect(await c.take(joining)).toMatchObject([{ status: 'duplicate' }]);
  });

  it('the same id at another IdP is another event', async () => {
    expect(await c.take({ type: 'session.started', id: 'same', idp: 'idp', handles: { sid: 'a' } })).toMatchObject([
      { status: 'accepted' },
    ]);
    expect(await c.take({ type: 'session.started', id: 'same', idp: 'other', handles: { sid: 'a' } })).toMatchObject([
      { status: 'accepted' },
    ]);
  });

  it('a batch is taken in order: login, joins, logout, late join', async () => {
    const results = await c.take(
      { type: 'session.started', handles: { sid: 'b', sub: 'u' } },
      { type: 'session.joined', sp: 'proxy', parent: { sid: 'b' }, handles: { sid: 'bp' } },
      { type: 'session.joined', sp: 'app1', parent: { sid: 'bp' } },
      { type: 'session.touched', target: { sid: 'b' } },
      { type: 'session.ended', target: { sid: 'b' } },
      { type: 'session.joined', sp: 'app2', parent: { sid: 'b' } },
      { type: 'session.touched', target: { sid: 'b' } },
    );
    expect(results.map((result) => result.status)).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'accepted',
      'accepted',
      'session_ended',
      'session_ended',
    ]);
    expect(await deliveriesOf(results[4]!.logoutId!)).toHaveLength(2);
  });

  it('two endings of one session in one batch are one logout', async () => {
    await login('s1');
    const results = await c.take({ type: 'session.ended', target: { sid: 's1' } }, { type: 'session.ended', target: { sub: 'alice' } });
    expect(results[1]!.logoutId).toBe(results[0]!.logoutId);
    expect(c.enqueued).toHaveLength(1);
  });

  it('an SP of another IdP, and one that does not exist, are rejected by name', async () => {
    await c.registerSp('foreign', { idp: 'other' });
    await login('s1');
    const results = await c.take(
      { type: 'session.joined', sp: 'foreign', parent: { sid: 's1' } },
      { type: 'session.joined', sp: 'nowhere', parent: { sid: 's1' } },
    );
    expect(results.map((result) => result.error?.code)).toEqual(['forbidden', 'not_found']);
    expect(results[1]!.error!.detail).toContain('"nowhere"');
  });

  it('a sid that signs in again is the same session with a new lifetime; under another sub it is refused', async () => {
    const id = await login('s1');
    const expiresAt = new Date(c.clock.now().getTime() + 3_600_000);
    const [again] = await c.take({ type: 'session.started', handles: { sid: 's1', sub: 'alice' }, expiresAt });
    expect(again).toMatchObject({ status: 'accepted', sessionId: id });
    expect((await readSession(c.database, id))!.expiresAt).toEqual(expiresAt);
    expect(await c.take({ type: 'session.started', handles: { sid: 's1', sub: 'mallory' } })).toMatchObject([
      { status: 'rejected', error: { code: 'conflict' } },
    ]);
  });
});

describe('an upstream logout token', () => {
  const token = (jti: string) => ({ idpId: 'idp', sid: 's1', jti, forgetAt: new Date(c.clock.now().getTime() + 180_000) });

  it('BCL-42 of two copies at once one is carried out and the other is a replay', async () => {
    await login('s1');
    await join('app1', { sid: 's1' });
    const answers = await Promise.all([c.endByLogoutToken.end(token('j1')), c.endByLogoutToken.end(token('j1'))]);
    expect(answers.sort()).toEqual(['ended', 'replayed']);
    expect(c.enqueued).toHaveLength(1);
  });

  it('BCL-43 an unknown session is nothing to end, and no error', async () => {
    await expect(c.endByLogoutToken.end(token('j2'))).resolves.toBe('nothing-to-end');
  });

  it('BCL-42 a jti is forgotten after its time', async () => {
    await c.endByLogoutToken.end(token('j3'));
    c.clock.advance(181_000);
    await expect(c.endByLogoutToken.end(token('j3'))).resolves.toBe('nothing-to-end');
  });
});
