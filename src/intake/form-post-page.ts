import { createHash } from 'node:crypto';
import { escapeHtml } from '#platform/http';

const SCRIPT = 'document.forms[0].submit()';
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');

/**
 * A page that sends a form to another site by itself, and by a button where scripts are off. Whose form it is, is decided by us alone.
 * @param formAction where the form may go. Some browsers hold every redirect that follows against it, and where a peer goes on to with a person in front
 *   of it is its own affair, so by default no host is named.
 * @see SLO-47, SLO-48, SLO-54
 */
export function buildFormPostPage(
  form: { action: string; fields: readonly { name: string; value: string }[] },
  formAction: readonly string[] = ['https:', 'http:'],
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
      'content-security-policy': `default-src 'none';script-src 'sha256-${SCRIPT_HASH}';base-uri 'none';form-action ${formAction.join(' ')};frame-ancestors 'self'`,
      'x-frame-options': 'SAMEORIGIN',
      'cache-control': 'no-cache, no-store',
      pragma: 'no-cache',
    },
  };
}
