import { createHash } from 'node:crypto';
import { escapeHtml } from '#platform/http';

const SCRIPT = 'document.forms[0].submit()';
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');

/** What the page may do, in the words of a Content-Security-Policy. */
export interface FormPostLimits {
  /** Where the form may go. Default: anywhere, for some browsers hold every redirect that follows against it, and where a peer goes on to is its own affair. */
  formAction?: readonly string[];
  /** Who may show it in a frame, beside us. Default: nobody. */
  framedBy?: readonly string[];
}

/**
 * A page that sends a form to another site by itself, and by a button where scripts are off. Whose form it is, is decided by us alone.
 * @see SLO-47, SLO-48, SLO-54
 */
export function buildFormPostPage(
  form: { action: string; fields: readonly { name: string; value: string }[] },
  { formAction = ['https:', 'http:'], framedBy = [] }: FormPostLimits = {},
): { html: string; headers: Record<string, string> } {
  const inputs = form.fields.map(({ name, value }) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`);
  const html =
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>One moment</title></head><body>' +
    `<form method="post" action="${escapeHtml(form.action)}">${inputs.join('')}<noscript><p>Your browser does not run scripts. Go on by the button.</p>` +
    `<button type="submit">Continue</button></noscript></form><script>${SCRIPT}</script></body></html>`;
  return {
    html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none';script-src 'sha256-${SCRIPT_HASH}';base-uri 'none';form-action ${formAction.join(' ')};frame-ancestors ${["'self'", ...framedBy].join(' ')}`,
      'x-frame-options': 'SAMEORIGIN',
      'cache-control': 'no-cache, no-store',
      pragma: 'no-cache',
    },
  };
}
