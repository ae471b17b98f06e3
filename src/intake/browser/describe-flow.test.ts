import { describe, expect, it } from '@jest/globals';
import type { FlowState } from '#coordinator';
import { OUTCOMES } from '#domain';
import type { Outcome } from '#domain';
import { describeFlow } from './describe-flow.js';

type Delivery = FlowState['deliveries'][number];

const START = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T00:00:15Z');

const delivery = (outcome: Outcome, more: Partial<Delivery> = {}): Delivery => ({
  n: 1,
  spId: 'sp',
  spName: 'Payroll',
  outcome,
  channel: 'saml-redirect',
  isDue: false,
  isUnderWay: false,
  ...more,
});

const flow = (deliveries: Delivery[], more: Partial<FlowState> = {}): FlowState => ({
  id: 'flow',
  idpId: 'idp',
  logoutId: 'logout',
  verdict: 'pending',
  deliveries,
  reply: null,
  answerBy: LATER,
  answeredAt: null,
  isSettled: false,
  ...more,
});

const REPLY = { protocol: 'saml', spId: 'asker', inResponseTo: '_1', binding: 'redirect', relayState: null } as const;
const stateOf = (one: Delivery) => describeFlow(flow([one]), START).deliveries[0]!;

describe('how an application stands', () => {
  it.each<[Outcome, string]>([
    ['confirmed', 'ended'],
    ['expired', 'ended'],
    ['accepted', 'unconfirmed'],
    ['attempted', 'unconfirmed'],
    ['partial', 'failed'],
    ['refused', 'failed'],
    ['unreachable', 'failed'],
    ['skipped', 'failed'],
    ['pending', 'telling'],
    ['retrying', 'trying'],
    ['awaiting-browser', 'unconfirmed'],
  ])('%s is %s', (outcome, state) => expect(stateOf(delivery(outcome)).state).toBe(state));

  it('what is not proven is never called signed out, whatever it is', () => {
    for (const outcome of OUTCOMES) {
      const { state, text } = stateOf(delivery(outcome));
      expect({ outcome, isCalledSo: /^signed out(?! in part)/.test(text) }).toEqual({ outcome, isCalledSo: state === 'ended' });
    }
  });

  it('one that awaits a browser is due, under way, or tried in vain', () => {
    expect(stateOf(delivery('awaiting-browser', { isDue: true }))).toMatchObject({
      state: 'browser',
      leg: { channel: 'saml-redirect', isDue: true },
    });
    expect(stateOf(delivery('awaiting-browser', { isUnderWay: true }))).toMatchObject({
      state: 'telling',
      leg: { channel: 'saml-redirect', isDue: false },
    });
    expect(stateOf(delivery('awaiting-browser'))).toMatchObject({ state: 'unconfirmed', leg: null });
  });

  it('several sessions at one application are told apart, and one whose SP is gone has words, too', () => {
    const names = describeFlow(
      flow([delivery('pending'), delivery('pending', { n: 2 }), delivery('pending', { n: 3, spId: 'gone', spName: null })]),
      START,
    ).deliveries.map(({ name }) => name);
    expect(names).toEqual(['Payroll', 'Payroll (session 2)', 'An application that is not known any more']);
  });
});

describe('what comes next', () => {
  it.each<[string, Partial<FlowState>, Date, string]>([
    ['something is under way', { reply: REPLY }, START, 'wait'],
    ['all is settled, and somebody is owed an answer', { reply: REPLY, isSettled: true }, START, 'answer'],
    ['time is over, and somebody is owed an answer', { reply: REPLY }, LATER, 'answer'],
    ['the answer has been given', { reply: REPLY, isSettled: true, answeredAt: LATER }, LATER, 'stay'],
    ['a person has gone on early and comes back', { reply: REPLY, answeredAt: START }, START, 'wait'],
    ['all is settled, and nobody is owed an answer', { isSettled: true }, START, 'stay'],
    ['time is over, and nobody is owed an answer', {}, LATER, 'stay'],
  ])('%s', (_, more, now, next) => expect(describeFlow(flow([delivery('pending')], more), now).next).toBe(next));
});

describe('the words above', () => {
  const four = [1, 2, 3, 4].map((n) => delivery('confirmed', { n, spId: `sp${n}` }));
  const messageOf = (last: Outcome | null, now = LATER) => {
    const { title, message } = describeFlow(flow(last === null ? four : [...four, delivery(last, { n: 5 })]), now);
    return `${title}: ${message}`;
  };

  it('while it lasts', () =>
    expect(messageOf('pending', START)).toBe('Signing you out: One moment. You are signed out of 4 of 5 applications.'));
  it('when all have ended', () => expect(messageOf(null)).toBe('You are signed out: You are signed out everywhere.'));
  it('when one is still being tried', () =>
    expect(messageOf('retrying')).toBe(
      'Not signed out everywhere: You are signed out of 4 of 5 applications. We keep trying the one that has not answered. To be sure, close your browser.',
    ));
  it('when one has failed', () =>
    expect(messageOf('refused')).toBe(
      'Not signed out everywhere: You are signed out of 4 of 5 applications. To be sure, close your browser.',
    ));
  it('when one cannot be confirmed it is not counted', () => expect(messageOf('attempted')).toMatch(/4 of 5/));
  it('when there was nothing', () =>
    expect(describeFlow(flow([], { logoutId: null, isSettled: true }), START)).toMatchObject({
      title: 'You are signed out',
      message: 'There was nothing to sign you out of.',
    }));
});
