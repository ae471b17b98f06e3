import type { Agent } from 'undici';
import { exchange, type Exchanged } from './exchange.js';
import { EgressFault } from './fault.js';
import type { Network } from './networks.js';
import { parseTarget } from './target.js';

export interface FetchSettings {
  agent: Agent;
  allowed: readonly Network[];
  limitBytes: number;
  onRefused: () => void;
}

/** From the first packet to the last byte of a document; the signal of the caller may be shorter. Milliseconds. */
const DOCUMENT_WITHIN_MS = 5_000;
const METHODS = ['GET', 'HEAD', 'POST'] as const;
/** Statuses whose response may not have a body, by the Fetch standard. */
const BODILESS = new Set([204, 205, 304]);

/**
 * `fetch` for documents, over the guarded agent. No redirects (a 3xx is handed back), no cookies, no decompression (so no
 * decompression bombs), and an error instead of a document that was cut.
 */
export function guardedFetch(settings: FetchSettings): typeof globalThis.fetch {
  return async (input, init) => {
    const url = typeof input === 'object' && 'url' in input ? input.url : String(input);
    // Before `new Request`, whose own message would repeat a password in the URL.
    const parsed = parseTarget(url, settings.allowed);
    try {
      if ('error' in parsed) throw new EgressFault('refused-address', parsed.error);
      const request = new Request(input, init);
      const method = METHODS.find((known) => known === request.method);
      if (!method) throw new TypeError(`method ${request.method} is not allowed; wanted one of ${METHODS.join(', ')}`);
      const answer = await exchange(settings.agent, {
        origin: parsed.target.origin,
        path: parsed.target.path,
        method,
        headers: headersOf(request),
        body: request.body === null ? undefined : new Uint8Array(await request.arrayBuffer()),
        timeoutMs: DOCUMENT_WITHIN_MS,
        limitBytes: settings.limitBytes,
        signal: init?.signal ?? request.signal,
      });
      return responseOf(answer, settings.limitBytes);
    } catch (error) {
      if (!(error instanceof EgressFault)) throw error;
      if (error.fault === 'refused-address') settings.onRefused();
      const where = 'error' in parsed ? 'fetch' : `fetch ${parsed.target.origin}`;
      throw new TypeError(`${where}: ${error.fault}: ${error.message}`, { cause: error });
    }
  };
}

function responseOf(answer: Exchanged, limitBytes: number): Response {
  if (answer.truncated) throw new EgressFault('protocol', `the document is longer than ${limitBytes} bytes`);
  if (answer.status > 599) throw new EgressFault('protocol', `status ${answer.status} is not an HTTP status`);
  const body = BODILESS.has(answer.status) ? null : new Uint8Array(answer.body);
  return new Response(body, { status: answer.status, headers: answer.headers });
}

function headersOf(request: Request): Record<string, string> {
  const headers = Object.fromEntries(request.headers);
  delete headers['host'];
  delete headers['accept-encoding'];
  return headers;
}
