import { createHash } from 'node:crypto';

/** A page for a person: a headline and what to know, nothing to click, no script. */
export interface MessagePage {
  title: string;
  text: string;
  /** Names the request in the log, for whoever is asked for help. */
  reference?: string;
  /** Who may show it in a frame. Default: nobody. */
  framedBy?: 'self';
}

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;color:#1a1a1a;background:#fff}h1{font-size:1.25rem}small{color:#595959}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Its HTML, and the headers that it needs. Every text is escaped; still, nothing that a stranger sent belongs in one. @see SLO-54 */
export function buildMessagePage({ title, text, reference, framedBy }: MessagePage): { html: string; headers: Record<string, string> } {
  const small = reference === undefined ? '' : `<p><small>Reference: ${escapeHtml(reference)}</small></p>`;
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>` +
    `<style>${STYLE}</style></head><body><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${small}</body></html>`;
  const ancestors = framedBy === 'self' ? "'self'" : "'none'";
  return {
    html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none';style-src 'sha256-${STYLE_HASH}';base-uri 'none';form-action 'none';frame-ancestors ${ancestors}`,
      'x-frame-options': framedBy === 'self' ? 'SAMEORIGIN' : 'DENY',
      'cache-control': 'no-cache, no-store',
      pragma: 'no-cache',
    },
  };
}

/** Text for the content of an element and for an attribute in double quotes. @see SLO-48 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
