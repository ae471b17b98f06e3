import type { LeasedDelivery } from '#ledger';
import type { ServiceProvider } from '#registry';
import { giveUp, judgeAttempt, judgeBrowserWait, TRIES_BEFORE_NEXT_CHANNEL } from './judge-attempt.js';
import { retryDelayMs } from './retry-schedule.js';

const NOW = new Date('2026-01-01T12:00:00Z');
const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1_000);
const settings = { retryDelaysMs: [1_000, 3_000, 10_000], retryJitter: 0.2, retryAfterLimitSeconds: 60, browserWaitMs: 3_600_000 };
const delivery = (more: Partial<LeasedDelivery> = {}): LeasedDelivery => ({
  logoutId: 'l',
  n: 1,
  idpId: 'idp',
  spId: 'sp',
  sessionId: 's',
  layer: 'sp',
  tokenSid: 'sid',
  saml: { nameId: { value: 'alice' }, sessionIndexes: [], cause: 'user' },
  tokenSub: 'sub',
  channelIndex: 0,
  outcome: 'pending',
  attempt: 1,
  triesOnChannel: 1,
  startedAt: NOW,
  dueAt: NOW,
  requestedAt: NOW,
  deadlineAt: at(86_400),
  sessionExpiresAt: null,
  leaseUntil: at(60),
  ...more,
});
const sp = (channels: number): ServiceProvider =>
  ({
    id: 'sp',
    enabled: true,
    channels: Array.from({ length: channels }, () => ({ type: 'oidc-backchannel' })),
  }) as unknown as ServiceProvider;
const judge = (result: Parameters<typeof judgeAttempt>[1], one = delivery(), provider = sp(1)) =>
  judgeAttempt(one, result, provider, settings, NOW, 0.5);

describe('retry by protocol', () => {
  it('BCL-29 a confirmed attempt is final', () =>
    expect(judge({ result: 'confirmed' })).toMatchObject({ outcome: 'confirmed', settledAt: NOW }));

  it('BCL-27 a final no is never tried again on the same channel', () =>
    expect(judge({ result: 'refused', error: '400' })).toEqual({ outcome: 'refused', settledAt: NOW, detail: '400' }));

  it('BCL-27 a passing failure is tried again after the delay of its try', () => {
    expect(judge({ result: 'failed' })).toMatchObject({ outcome: 'retrying', nextAttemptAt: at(1) });
    expect(judge({ result: 'failed' }, delivery({ triesOnChannel: 2 }))).toMatchObject({ nextAttemptAt: at(3) });
    expect(judge({ result: 'failed' }, delivery({ triesOnChannel: 50 }))).toMatchObject({ nextAttemptAt: at(10) });
  });

  it('Retry-After is honoured up to the limit, and never shortens the schedule', () => {
    expect(judge({ result: 'failed', retryAfterMs: 20_000 })).toMatchObject({ nextAttemptAt: at(20) });
    expect(judge({ result: 'failed', retryAfterMs: 3_600_000 })).toMatchObject({ nextAttemptAt: at(60) });
    expect(judge({ result: 'failed', retryAfterMs: 10 })).toMatchObject({ nextAttemptAt: at(1) });
  });

  it('jitter spreads by the configured share, both ways', () => {
    expect(retryDelayMs(settings, 1, undefined, 0)).toBe(800);
    expect(retryDelayMs(settings, 1, undefined, 0.999999)).toBe(1_200);
  });

  it('the last try is at the deadline, and after it the delivery is unreachable', () => {
    expect(judge({ result: 'failed' }, delivery({ deadlineAt: at(0.5) }))).toMatchObject({ outcome: 'retrying', nextAttemptAt: at(0.5) });
    expect(judge({ result: 'failed', error: 'timeout' }, delivery({ deadlineAt: NOW }))).toEqual({
      outcome: 'unreachable',
      settledAt: NOW,
      detail: 'timeout',
    });
  });

  it('a session whose own lifetime ended before it could be told is expired, not unreachable', () => {
    expect(judge({ result: 'failed' }, delivery({ sessionExpiresAt: at(0.2) }))).toMatchObject({ nextAttemptAt: at(0.2) });
    expect(judge({ result: 'failed' }, delivery({ sessionExpiresAt: NOW, deadlineAt: NOW }))).toMatchObject({ outcome: 'expired' });
    expect(giveUp(delivery({ sessionExpiresAt: at(1) }), NOW, null)).toBeNull();
  });
});

describe('the ladder of channels', () => {
  it('a refusal, and an unusable channel, go to the next one at once', () => {
    for (const result of ['refused', 'unusable'] as const) {
      expect(judge({ result }, delivery(), sp(2))).toMatchObject({
        outcome: 'retrying',
        nextAttemptAt: NOW,
        channelIndex: 1,
        channel: 'oidc-backchannel',
      });
    }
  });

  it('failures go to the next one after the fast phase', () => {
    expect(judge({ result: 'failed' }, delivery({ triesOnChannel: TRIES_BEFORE_NEXT_CHANNEL - 1 }), sp(2))).not.toHaveProperty(
      'channelIndex',
    );
    expect(judge({ result: 'failed' }, delivery({ triesOnChannel: TRIES_BEFORE_NEXT_CHANNEL }), sp(2))).toMatchObject({ channelIndex: 1 });
  });

  it('the last channel is kept until the deadline', () =>
    expect(judge({ result: 'failed' }, delivery({ channelIndex: 1, triesOnChannel: 30 }), sp(2))).not.toHaveProperty('channelIndex'));

  it('without a channel left an unusable one is skipped, a refused one refused', () => {
    expect(judge({ result: 'unusable', error: 'no sid' })).toMatchObject({ outcome: 'skipped', detail: 'no sid' });
    expect(judge({ result: 'refused' }, delivery({ channelIndex: 1 }), sp(2))).toMatchObject({ outcome: 'refused' });
  });

  it('an SP that was deregistered or disabled meanwhile has no next channel', () => {
    expect(judgeAttempt(delivery(), { result: 'unusable' }, undefined, settings, NOW, 0)).toMatchObject({ outcome: 'skipped' });
    expect(judge({ result: 'unusable' }, delivery(), { ...sp(2), enabled: false })).toMatchObject({ outcome: 'skipped' });
  });
});

describe('channels that need a browser', () => {
  const saml = (...bindings: ('soap' | 'redirect' | 'post')[]): ServiceProvider =>
    ({
      id: 'sp',
      enabled: true,
      channels: [{ type: 'saml', bindings }],
      saml: { singleLogoutServices: bindings.map((binding) => ({ binding, location: `https://sp.example/${binding}` })) },
    }) as unknown as ServiceProvider;
  const waiting = (more: Partial<LeasedDelivery> = {}) => delivery({ outcome: 'awaiting-browser', ...more });

  it('a final no of the server channel moves the delivery to one, where it awaits a browser for so long', () => {
    const next = judge({ result: 'refused', error: 'no' }, delivery(), saml('soap', 'redirect'));
    expect(next).toEqual({
      outcome: 'awaiting-browser',
      nextAttemptAt: at(3_600),
      detail: 'no',
      channelIndex: 1,
      channel: 'saml-redirect',
    });
  });

  it('SLO-7 without a NameID no binding of SAML is next', () => {
    const unnamed = delivery({ saml: null });
    expect(judge({ result: 'unusable', error: 'no NameID' }, unnamed, saml('soap', 'redirect'))).toMatchObject({ outcome: 'skipped' });
  });

  it('a passing failure does not: an SP that comes back is told without help', () => {
    const late = delivery({ triesOnChannel: 30 });
    expect(judge({ result: 'failed' }, late, saml('soap', 'redirect'))).toMatchObject({ outcome: 'retrying' });
    expect(judge({ result: 'failed' }, late, saml('soap', 'redirect'))).not.toHaveProperty('channelIndex');
  });

  it('a browser that brought no answer leaves the delivery waiting, as long as before and no longer', () => {
    const lost = waiting({ dueAt: at(3_000) });
    expect(judge({ result: 'failed', error: 'lost' }, lost, saml('redirect'))).toEqual({
      outcome: 'awaiting-browser',
      nextAttemptAt: at(3_000),
      detail: 'lost',
    });
  });

  it('ASLO-2 a browser that was sent there with a message that asks for no answer proves nothing', () =>
    expect(judge({ result: 'attempted' }, waiting(), saml('redirect'))).toMatchObject({ outcome: 'attempted', settledAt: NOW }));

  it('SLO-46 a redirect that is refused, or cannot be used, goes on with POST in the same browser', () => {
    for (const result of ['refused', 'unusable'] as const) {
      const next = judge({ result }, waiting(), saml('redirect', 'post'));
      expect(next).toMatchObject({ outcome: 'awaiting-browser', channel: 'saml-post' });
    }
  });

  it('a delivery that is replayed awaits a browser first', () =>
    expect(judge({ result: 'unusable' }, delivery({ outcome: 'retrying' }), saml('redirect'))).toMatchObject({
      outcome: 'awaiting-browser',
      nextAttemptAt: at(3_600),
    }));

  it('without a browser in time it is skipped, and says why; one that was sent and never came back makes it unreachable', () => {
    expect(judgeBrowserWait(waiting(), saml('redirect', 'post'), settings, NOW, false)).toMatchObject({
      outcome: 'skipped',
      detail: 'it needs the browser of the person, and none came in time',
    });
    expect(judgeBrowserWait(waiting({ triesOnChannel: 2 }), saml('redirect'), settings, NOW, false)).toMatchObject({
      outcome: 'unreachable',
    });
    expect(judgeBrowserWait(waiting(), saml('redirect'), settings, NOW, true)).toMatchObject({ outcome: 'unreachable' });
    expect(judgeBrowserWait(waiting({ sessionExpiresAt: NOW }), saml('redirect'), settings, NOW, false)).toMatchObject({
      outcome: 'expired',
    });
  });

  it('or goes on without one, where a channel is left that needs none', () =>
    expect(judgeBrowserWait(waiting(), saml('redirect', 'post', 'soap'), settings, NOW, false)).toMatchObject({
      outcome: 'retrying',
      nextAttemptAt: NOW,
      channelIndex: 2,
      channel: 'saml-soap',
    }));
});
