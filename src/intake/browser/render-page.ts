import { createHash } from 'node:crypto';
import { escapeHtml } from '#platform/http';
import type { ApplicationView, FlowView } from './describe-flow.js';
import { PAGE_SCRIPT } from './page-script.js';
import { PAGE_STYLE } from './page-style.js';
import { PAGE_TEXTS } from './texts.js';

export interface PageOptions {
  /** Address of the page, without a slash at its end. */
  base: string;
  /** Origins to which its frames may go. */
  frameOrigins: readonly string[];
  /** Without scripts the page looks again after so long. Seconds. */
  refreshSeconds: number;
}

/** Its HTML, and the headers that it needs. @see SLO-48, SLO-54 */
export function renderPage(flow: FlowView, options: PageOptions): { html: string; headers: Record<string, string> } {
  const { base } = options;
  const title = escapeHtml(flow.title);
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>` +
    `<style>${PAGE_STYLE}</style>${refreshTag(flow, options)}</head><body><main data-base="${escapeHtml(base)}" aria-busy="${String(!flow.isOver)}">` +
    `<h1>${title}</h1><p id="message" role="status">${escapeHtml(flow.message)}</p>${listOf(flow.applications)}` +
    `${goOnLink(flow, base)}<div id="frames" aria-hidden="true"></div>${framesWithoutScript(flow, base)}</main>` +
    `${flow.isOver && flow.next === null ? '' : `<script>${PAGE_SCRIPT}</script>`}</body></html>`;
  return { html, headers: headersOf(options) };
}

/** Without scripts: look again when the frames have had their time, or go on at once when it is over. */
function refreshTag(flow: FlowView, { base, refreshSeconds }: PageOptions): string {
  if (flow.next !== null) return `<noscript><meta http-equiv="refresh" content="0;url=${escapeHtml(`${base}/${flow.next}`)}"></noscript>`;
  return flow.isOver ? '' : `<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`;
}

function listOf(applications: readonly ApplicationView[]): string {
  if (applications.length === 0) return '';
  const items = applications.map(
    ({ n, name, outcome, text }) =>
      `<li id="application-${n}" class="${outcome}"><b>${escapeHtml(name)}</b><span>${escapeHtml(text)}</span></li>`,
  );
  return `<h2 id="list">${PAGE_TEXTS.list}</h2><ul aria-labelledby="list">${items.join('')}</ul>`;
}

/** Always there where somebody is owed an answer: a person need not wait for what does not come. */
function goOnLink(flow: FlowView, base: string): string {
  return flow.owesAnswer ? `<p><a class="go" href="${escapeHtml(base)}/answer">${PAGE_TEXTS.goOn}</a></p>` : '';
}

/** A frame that is loading is left alone by the next look: its leg is not due any more. */
function framesWithoutScript({ applications }: FlowView, base: string): string {
  const due = applications.filter(({ isDue }) => isDue);
  if (due.length === 0) return '';
  const frames = due.map(
    ({ n, name }) =>
      `<iframe title="${escapeHtml(name)}" sandbox="allow-scripts allow-forms allow-same-origin" src="${escapeHtml(`${base}/legs/${n}`)}"></iframe>`,
  );
  return `<noscript>${frames.join('')}</noscript>`;
}

const SCRIPT_HASH = hashOf(PAGE_SCRIPT);
const STYLE_HASH = hashOf(PAGE_STYLE);

/** Frames may go to the SPs of this logout and back to us; and nobody may put this page in one. */
function headersOf({ frameOrigins }: PageOptions): Record<string, string> {
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
      "frame-ancestors 'none'",
    ].join(';'),
    'cache-control': 'no-cache, no-store',
    pragma: 'no-cache',
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
