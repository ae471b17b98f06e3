import { isIP } from 'node:net';

/** The URL parser drops or changes these without a word; a URL that is kept byte for byte may not have them. */
const UNSEEN = /[\s\p{Cc}\p{Cs}\\]/u;
/** Schemes that a browser runs or opens on the machine instead of going somewhere. */
const DANGEROUS = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:', 'filesystem:', 'view-source:']);

/** What is wrong with the syntax of an https (or, where the address policy lets it, http) URL that we will call; null when nothing is. @see BCL-3, BCL-4 */
export function callableUriFault(text: string): string | null {
  const url = parse(text);
  if (!url) return 'must be an absolute URI, e.g. https://rp.example.com/backchannel-logout';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https URI (http only to allowed private networks)';
  if (text.includes('#')) return 'must not have a fragment';
  if (url.username !== '' || url.password !== '') return 'must not have a user name or password';
  return null;
}

/** An issuer identifier. @see OpenID Connect Discovery 1.0 section 3 */
export function issuerFault(text: string): string | null {
  const fault = callableUriFault(text);
  if (fault !== null) return fault;
  return text.includes('?') ? 'must not have a query' : null;
}

/** A post-logout redirect URI: an absolute URI of any scheme that goes somewhere. @see RPI-6 */
export function redirectUriFault(text: string): string | null {
  const url = parse(text);
  if (!url) return 'must be an absolute URI';
  if (DANGEROUS.has(url.protocol)) return `must not have the scheme ${url.protocol}`;
  if (text.includes('#')) return 'must not have a fragment';
  if ((url.protocol === 'https:' || url.protocol === 'http:') && url.hostname === '') return 'must name a host';
  return null;
}

/** Whether the URL names this machine. */
export function isLoopback(text: string): boolean {
  const host = new URL(text).hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}

function parse(text: string): URL | null {
  if (UNSEEN.test(text) || !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return null;
  // `https:rp.example` and `https:/rp.example` parse, but are not absolute.
  if (/^https?:/i.test(text) && !/^https?:\/\/[^/]/i.test(text)) return null;
  return URL.canParse(text) ? new URL(text) : null;
}
