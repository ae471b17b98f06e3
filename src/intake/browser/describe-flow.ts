import type { FlowState } from '#coordinator';
import { gradeOf } from '#domain';
import { DELIVERY_TEXTS, DUE, keepTrying, NAMELESS, nameOfSession, PAGE_TEXTS, tally, UNDER_WAY } from './texts.js';

type Delivery = FlowState['deliveries'][number];

export const APPLICATION_STATES = ['ended', 'telling', 'browser', 'unconfirmed', 'trying', 'failed'] as const;
/** How much the person may rely on: `ended` alone is proven; `browser`: it waits for the person's browser to come by. */
export type ApplicationState = (typeof APPLICATION_STATES)[number];

/** One application on the page. */
export interface DeliveryView {
  n: number;
  name: string;
  state: ApplicationState;
  /** The same in words. */
  text: string;
  /** What the browser has to do with it; null: nothing (any more). */
  leg: { channel: string; isDue: boolean } | null;
}

export const NEXT_STEPS = ['wait', 'answer', 'stay'] as const;

/** All that the page shows, and its script reads. Holds no name of the person. */
export interface FlowView {
  title: string;
  message: string;
  deliveries: DeliveryView[];
  /** Nothing more can come of waiting here. */
  settled: boolean;
  /** ISO 8601: the page waits no longer than that. */
  answerAt: string;
  /** `answer`: back to the one who asked, who has not had it yet. `stay`: this page is the end. */
  next: (typeof NEXT_STEPS)[number];
  /** Something may still change, whether the page waits for it or not. */
  isOpen: boolean;
  /** There is somebody to go back to, now or later. */
  owesAnswer: boolean;
}

/** A flow as the person sees it. */
export function describeFlow(flow: FlowState, now: Date): FlowView {
  const isOver = flow.isSettled || now >= flow.answerBy;
  const owesAnswer = flow.reply !== null;
  // Who has had the answer and comes back by the browser's button is not sent away again.
  const isOwedNow = owesAnswer && flow.answeredAt === null;
  return {
    ...wordsFor(flow.deliveries, isOver),
    deliveries: describeDeliveries(flow.deliveries),
    settled: flow.isSettled,
    answerAt: flow.answerBy.toISOString(),
    next: !isOver ? 'wait' : isOwedNow ? 'answer' : 'stay',
    isOpen: flow.deliveries.some(({ outcome }) => gradeOf(outcome) === 'open'),
    owesAnswer,
  };
}

function describeDeliveries(deliveries: readonly Delivery[]): DeliveryView[] {
  const seen = new Map<string, number>();
  return deliveries.map((delivery) => {
    const { n, spId, spName, outcome, channel, isDue, isUnderWay } = delivery;
    const number = (seen.get(spId) ?? 0) + 1;
    seen.set(spId, number);
    const name = spName ?? NAMELESS;
    return {
      n,
      name: number === 1 ? name : nameOfSession(name, number),
      state: stateOf(delivery),
      text: isUnderWay ? UNDER_WAY : isDue ? DUE : DELIVERY_TEXTS[outcome],
      leg: isDue || isUnderWay ? { channel: channel ?? '', isDue } : null,
    };
  });
}

function stateOf({ outcome, isDue, isUnderWay }: Delivery): ApplicationState {
  if (outcome === 'awaiting-browser') return isUnderWay ? 'telling' : isDue ? 'browser' : 'unconfirmed';
  switch (gradeOf(outcome)) {
    case 'proven':
      return 'ended';
    case 'promised':
    case 'unproven':
      return 'unconfirmed';
    case 'partial':
    case 'failed':
      return 'failed';
    case 'open':
      return outcome === 'retrying' ? 'trying' : 'telling';
  }
}

function wordsFor(deliveries: readonly Delivery[], isOver: boolean): { title: string; message: string } {
  if (deliveries.length === 0) return { title: PAGE_TEXTS.titleAtEnd, message: PAGE_TEXTS.nothing };
  const ended = deliveries.filter(({ outcome }) => gradeOf(outcome) === 'proven').length;
  if (ended === deliveries.length) return { title: PAGE_TEXTS.titleAtEnd, message: PAGE_TEXTS.all };
  const count = tally(ended, deliveries.length);
  if (!isOver) return { title: PAGE_TEXTS.title, message: `${PAGE_TEXTS.working} ${count}` };
  const trying = deliveries.filter(({ outcome }) => outcome === 'pending' || outcome === 'retrying').length;
  const words = [count, ...(trying === 0 ? [] : [keepTrying(trying)]), PAGE_TEXTS.closeBrowser];
  return { title: PAGE_TEXTS.titleInPart, message: words.join(' ') };
}
