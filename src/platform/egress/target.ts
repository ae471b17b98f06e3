import { isIP } from 'node:net';
import type { Network } from './networks.js';
import { refusalOf, type Scheme } from './refusal.js';
import { CLOUD_METADATA_NAMES } from './special-addresses.js';

/** Where a URL really leads, after the URL standard has normalised it (octal, full-width, percent-encoded hosts). */
export interface Target {
  origin: string;
  path: string;
  scheme: Scheme;
  /** A name, or an IP address without brackets. */
  host: string;
  literal: boolean;
}

export type ParsedTarget = { target: Target } | { error: string };

/**
 * Reads a URL and refuses all that can be refused without asking a resolver. Only what this returns is ever connected to, so there is
 * no second reader of the same text that could understand it differently.
 */
export function parseTarget(text: string, allowed: readonly Network[]): ParsedTarget {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { error: 'not a valid absolute URL; wanted https://host[:port]/path' };
  }
  const scheme = url.protocol;
  if (scheme !== 'https:' && scheme !== 'http:') return { error: `scheme ${scheme} is not allowed; wanted https:` };
  if (url.username !== '' || url.password !== '') return { error: 'user name or password in the URL; wanted none' };
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const literal = isIP(host) !== 0;
  if (literal) {
    const refusal = refusalOf(host, scheme, allowed);
    if (refusal) return { error: refusal };
  } else {
    const name = host.replace(/\.+$/, '');
    if (name === '') return { error: 'no host name in the URL; wanted https://host[:port]/path' };
    if (CLOUD_METADATA_NAMES.has(name)) return { error: `${host} is a cloud metadata service, which is never called` };
    if (scheme === 'http:' && allowed.length === 0) {
      return { error: 'http: is allowed only to networks in egress.allowPrivateNetworks, which is empty; wanted https:' };
    }
  }
  return { target: { origin: url.origin, path: url.pathname + url.search, scheme, host, literal } };
}
