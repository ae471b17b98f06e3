import { gradeOf } from '#domain';
import type { Outcome } from '#domain';
import type { FlowState } from '#coordinator';
import { DELIVERY_TEXTS, NAMELESS, PAGE_TEXTS, tally, UNDER_WAY } from './texts.js';

/** One application on the page. */
export interface ApplicationView {
  n: number;
  name: string;
  outcome: Outcome;
  text: string;
  /** The browser is to be sent to it now. */
  isDue: boolean;
  isUnderWay: boolean;
}

/** All that the page shows, and its script reads. Holds no name of the person. */
export interface FlowView {
  title: string;
  message: string;
  applications: ApplicationView[];
  /** Nothing on the page will change any more. */
  isOver: boolean;
  /** Where the browser goes now, from the page's own address; null: it stays. */
  next: 'answer' | null;
  /** Whether somebody is owed an answer, however far it is. */
  owesAnswer: boolean;
}

/** A flow as the person sees it. */
export function describeFlow(flow: FlowState, now: Date): FlowView {
  const isOver = flow.isSettled || now >= flow.answerBy;
  const owesAnswer = flow.reply !== null;
  const applications = flow.deliveries.map(({ n, spName, outcome, isDue, isUnderWay }): ApplicationView => {
    const text = isUnderWay || (isDue && !isOver) ? UNDER_WAY : DELIVERY_TEXTS[outcome];
    return { n, name: spName ?? NAMELESS, outcome, text, isDue: isDue && !isOver, isUnderWay };
  });
  return {
    ...wordsFor(flow, isOver),
    applications,
    isOver,
    // Who has the answer and comes back by the browser's button is not sent away again.
    next: owesAnswer && isOver && flow.answeredAt === null ? 'answer' : null,
    owesAnswer,
  };
}

function wordsFor({ deliveries }: FlowState, isOver: boolean): { title: string; message: string } {
  if (deliveries.length === 0) return { title: PAGE_TEXTS.titleAtEnd, message: PAGE_TEXTS.nothing };
  const ended = deliveries.filter(({ outcome }) => gradeOf(outcome) === 'proven').length;
  if (ended === deliveries.length) return { title: PAGE_TEXTS.titleAtEnd, message: PAGE_TEXTS.all };
  if (!isOver) return { title: PAGE_TEXTS.title, message: PAGE_TEXTS.working };
  const isTried = deliveries.some(({ outcome }) => outcome === 'pending' || outcome === 'retrying');
  const words = [tally(ended, deliveries.length), ...(isTried ? [PAGE_TEXTS.keepTrying] : []), PAGE_TEXTS.closeBrowser];
  return { title: PAGE_TEXTS.titleInPart, message: words.join(' ') };
}
