import { createHash } from 'node:crypto';
import { escapeHtml } from '#platform/http';
import type { DeliveryView, FlowView } from './describe-flow.js';
import { FRAME_SANDBOX, PAGE_SCRIPT } from './page-script.js';
import { PAGE_STYLE } from './page-style.js';
import { PAGE_TEXTS } from './texts.js';

/** Without scripts all of a look's frames load at once. */
const FRAMES_WITHOUT_SCRIPT = 8;
/** Without scripts a person presses a button for each form. Seconds. */
const TIME_FOR_BUTTONS = 30;
/** Without scripts, and with nothing to press. Seconds. */
const LOOK_AGAIN = 2;
/** The frame is there a little longer than its leg, so that the two do not race. Milliseconds. */
const BEYOND_THE_LEG_MS = 500;

export interface PageOptions {
  /** Address of the page, relative to itself: its last part. So it is right behind whatever proxy. */
  base: string;
  /** Origins to which its frames may go. */
  frameOrigins: readonly string[];
  /** Origins that may show it in a frame. */
  framedBy: readonly string[];
  /** How long the browser may be at one application. Milliseconds. */
  legTimeoutMs: number;
  now: Date;
}

/** Its HTML, and the headers that it needs. @see SLO-48, SLO-54 */
export function renderPage(flow: FlowView, options: PageOptions): { html: string; headers: Record<string, string> } {
  const { base } = options;
  const title = escapeHtml(flow.title);
  const html =
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<title>${title}</title><style>${PAGE_STYLE}</style>${refreshTag(flow, options)}</head><body>` +
    `<main ${dataOf(flow, options)} aria-busy="${String(flow.next === 'wait')}">` +
    `<h1>${title}</h1><p id="message" role="status">${escapeHtml(flow.message)}</p>${framesWithoutScript(flow, base)}` +
    `${listOf(flow.deliveries)}${goOnLink(flow, base)}</main>` +
    // Nothing in it can be reached by the keyboard or is read out.
    `<div id="frames" aria-hidden="true" inert></div><script>${PAGE_SCRIPT}</script></body></html>`;
  return { html, headers: headersOf(options) };
}

function dataOf(flow: FlowView, { base, legTimeoutMs, now }: PageOptions): string {
  const data = {
    base,
    'leg-timeout': legTimeoutMs + BEYOND_THE_LEG_MS,
    // Not the moment: the person's clock may be wrong.
    'answer-in': Math.max(0, Date.parse(flow.answerAt) - now.getTime()),
    ...(flow.owesAnswer ? { owed: 'true' } : {}),
  };
  return Object.entries(data)
    .map(([name, value]) => `data-${name}="${escapeHtml(String(value))}"`)
    .join(' ');
}

function refreshTag(flow: FlowView, options: PageOptions): string {
  const refresh = refreshOf(flow, options);
  return refresh === null ? '' : `<noscript><meta http-equiv="refresh" content="${escapeHtml(refresh)}"></noscript>`;
}

/**
 * Without scripts: look again, or go on when it is over. Browsers begin to count when the page has loaded, its frames included, so that this does not end a
 * frame before its time, and it does not begin while an SP hangs: then the person goes on by the link.
 */
function refreshOf(flow: FlowView, { base, now }: PageOptions): string | null {
  if (flow.next === 'answer') return `0;url=${base}/answer`;
  const due = dueIn(flow);
  if (due.length === 0) return flow.next === 'wait' ? String(LOOK_AGAIN) : null;
  const seconds = due.some(hasButton) ? TIME_FOR_BUTTONS : LOOK_AGAIN;
  const untilAnswer = Math.ceil((Date.parse(flow.answerAt) - now.getTime()) / 1_000) + 1;
  return String(flow.owesAnswer && flow.next === 'wait' ? Math.min(seconds, untilAnswer) : seconds);
}

function listOf(deliveries: readonly DeliveryView[]): string {
  if (deliveries.length === 0) return '';
  const items = deliveries.map(
    ({ n, name, state, text }) => `<li id="delivery-${n}" class="${state}"><b>${escapeHtml(name)}</b><span>${escapeHtml(text)}</span></li>`,
  );
  return `<h2 id="list">${PAGE_TEXTS.list}</h2><ul aria-labelledby="list">${items.join('')}</ul>`;
}

/** Always there where somebody is owed an answer: a person need not wait for what does not come. */
function goOnLink(flow: FlowView, base: string): string {
  if (!flow.owesAnswer) return '';
  const text = flow.next === 'wait' ? PAGE_TEXTS.goOnNow : PAGE_TEXTS.goOn;
  return `<p><a class="go" href="${escapeHtml(base)}/answer">${text}</a></p>`;
}

/** Only legs that are due get a frame, so the next look does not begin anew what is under way. */
function framesWithoutScript(flow: FlowView, base: string): string {
  const due = dueIn(flow);
  const again = flow.isOpen ? `<p><a href="${escapeHtml(base)}">${PAGE_TEXTS.lookAgain}</a></p>` : '';
  if (due.length === 0) return again && `<noscript>${again}</noscript>`;
  const frames = due.map(
    ({ n, name }) =>
      `<p class="frame">${escapeHtml(name)}</p><iframe title="${escapeHtml(name)}" sandbox="${FRAME_SANDBOX}" src="${escapeHtml(`${base}/legs/${n}`)}"></iframe>`,
  );
  const buttons = due.some(hasButton) ? `<p>${PAGE_TEXTS.pressButtons}</p>` : '';
  return `<noscript>${buttons}${frames.join('')}${again}</noscript>`;
}

/** Those with a button first. */
function dueIn(flow: FlowView): DeliveryView[] {
  const due = flow.deliveries.filter(({ leg }) => leg?.isDue === true);
  return [...due.filter(hasButton), ...due.filter((delivery) => !hasButton(delivery))].slice(0, FRAMES_WITHOUT_SCRIPT);
}

function hasButton({ leg }: DeliveryView): boolean {
  return leg?.channel === 'saml-post';
}

const SCRIPT_HASH = hashOf(PAGE_SCRIPT);
const STYLE_HASH = hashOf(PAGE_STYLE);

/** Frames may go to the SPs of this logout and back to us. No referrer: the address is a secret. */
function headersOf({ frameOrigins, framedBy }: PageOptions): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'sha256-${SCRIPT_HASH}'`,
      `style-src 'sha256-${STYLE_HASH}'`,
      "connect-src 'self'",
      `frame-src ${["'self'", ...frameOrigins].join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      `frame-ancestors ${framedBy.length === 0 ? "'none'" : framedBy.join(' ')}`,
    ].join(';'),
    // For browsers that do not know frame-ancestors; the others do not look at it.
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache, no-store',
    pragma: 'no-cache',
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
