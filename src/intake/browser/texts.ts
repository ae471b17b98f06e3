import type { Outcome } from '#domain';

/** How one application stands, in words for the person. Weaker ones are never worded as stronger ones. */
export const DELIVERY_TEXTS: Readonly<Record<Outcome, string>> = {
  pending: 'being told',
  retrying: 'no answer yet, we keep trying',
  'awaiting-browser': 'no answer came back, so it cannot be confirmed',
  confirmed: 'signed out',
  accepted: 'told; it has not said that it is done',
  attempted: 'asked; it does not say whether it is done',
  partial: 'signed out in part only',
  refused: 'refused to sign you out',
  unreachable: 'did not answer',
  skipped: 'could not be told',
  expired: 'signed out: its session had run out',
};

/** While the browser is at it. */
export const UNDER_WAY = 'being told';
/** The browser is to be sent to it. */
export const DUE = 'needs your browser, in a moment';

/** What is said of an SP that was deregistered. */
export const NAMELESS = 'An application that is not known any more';

export const PAGE_TEXTS = {
  title: 'Signing you out',
  titleAtEnd: 'You are signed out',
  titleInPart: 'Not signed out everywhere',
  nothing: 'There was nothing to sign you out of.',
  working: 'One moment.',
  all: 'You are signed out everywhere.',
  list: 'Applications',
  goOn: 'Continue',
  goOnNow: 'Continue without waiting',
  lookAgain: 'Look again',
  pressButtons: 'Your browser does not run scripts. Press the button in each of these frames, then look again.',
  closeBrowser: 'To be sure, close your browser.',
  notFound: {
    title: 'Not found',
    text: 'There is no logout at this address, or its time is over. To be sure that you are signed out, close your browser.',
  },
  nothingToDo: { title: 'Nothing to do', text: 'You may close this.' },
} as const;

/** "4 of 5." */
export function tally(ended: number, all: number): string {
  return `You are signed out of ${ended} of ${all} application${all === 1 ? '' : 's'}.`;
}

/** @param trying how many are still being told, from the server. */
export function keepTrying(trying: number): string {
  return trying === 1 ? 'We keep trying the one that has not answered.' : `We keep trying the ${trying} that have not answered.`;
}

/** One of several sessions at the same application. */
export function nameOfSession(name: string, number: number): string {
  return `${name} (session ${number})`;
}
